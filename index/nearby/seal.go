package nearby

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	nonceSize = 12
	gcmTag    = 16
	plainHead = 1 + 8 + 2 // kind, number, length
	plainSize = plainHead + batchSize
)

func gcm(key [keySize]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Seal writes a message to the other side: AES-256-GCM under the key of this
// direction, a random nonce, a number that the other side opens once, and
// padded to Size. The same message sealed again is another one for the other
// side; to send one again, send its bytes again.
func (p *Pair) Seal(rand io.Reader, m Message) ([]byte, error) {
	body := m.append(nil)
	if _, err := parse(m.tag(), body); err != nil {
		return nil, err
	}
	nonce, err := random(rand, nonceSize)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(p.keyOut)
	if err != nil {
		return nil, err
	}
	plain := append(make([]byte, 0, plainSize), m.tag())
	plain = binary.BigEndian.AppendUint64(plain, p.sent+1)
	plain = binary.BigEndian.AppendUint16(plain, uint16(len(body)))
	plain = append(plain, body...)[:plainSize] // the rest is zero
	p.sent++
	head := header(KindSealed, p.out)
	return aead.Seal(append(head, nonce...), nonce, plain, head), nil
}

// Open reads a message of the other side, once. The order of messages does not
// matter within the last 1,024.
func (p *Pair) Open(msg []byte) (Message, error) {
	h, err := expect(msg, KindSealed)
	if err != nil {
		return nil, err
	}
	if h.To != p.in {
		return nil, ErrForeign
	}
	aead, err := gcm(p.keyIn)
	if err != nil {
		return nil, err
	}
	nonce := msg[headerSize : headerSize+nonceSize]
	plain, err := aead.Open(nil, nonce, msg[headerSize+nonceSize:], msg[:headerSize])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForged, err)
	}
	number := binary.BigEndian.Uint64(plain[1:])
	if p.window.has(number) {
		return nil, ErrReplayed
	}
	m, err := unpad(plain)
	if err != nil {
		return nil, err
	}
	p.window.add(number)
	return m, nil
}

func unpad(plain []byte) (Message, error) {
	n := int(binary.BigEndian.Uint16(plain[9:]))
	rest := plain[plainHead:]
	if n > len(rest) || len(bytes.Trim(rest[n:], "\x00")) > 0 {
		return nil, fmt.Errorf("%w: padding", ErrMalformed)
	}
	return parse(plain[0], rest[:n])
}

const windowSize = 1024

// window are the numbers of the messages that were opened (RFC 4303, 3.4.3).
type window struct {
	last uint64                  // the greatest
	bits [windowSize / 64]uint64 // of the last ones: number n at n modulo windowSize
}

func (w *window) bit(n uint64) (*uint64, uint64) {
	return &w.bits[n%windowSize/64], 1 << (n % 64)
}

// has reports whether the number was opened, or is too old to know.
func (w *window) has(n uint64) bool {
	if n > w.last {
		return false
	}
	word, bit := w.bit(n)
	return n == 0 || w.last-n >= windowSize || *word&bit != 0
}

func (w *window) add(n uint64) {
	if n > w.last && n-w.last >= windowSize {
		w.bits = [windowSize / 64]uint64{}
		w.last = n
	}
	for w.last < n {
		w.last++
		word, bit := w.bit(w.last)
		*word &^= bit
	}
	word, bit := w.bit(n)
	*word |= bit
}
