package fetch

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/kith-photos/kith/models"
)

const (
	maxTarball  = 512 << 20 // bytes; onnxruntime-node 1.24.3 has 82 MiB
	maxUnpacked = 2 << 30   // bytes
	maxEntries  = 100_000
)

// member is an artifact and the source that says where in the package it is.
type member struct {
	models.Artifact
	source models.Source
}

// extraction takes members out of one npm package in one pass. Nothing is
// written under a name that the package chose.
type extraction struct {
	p       *provisioner
	dir     string            // for temporary files, on the cache's file system
	members map[string]member // by path in the package
	result  map[string]error  // by artifact id
}

func (x *extraction) run(ctx context.Context, tarball string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > maxTarball {
		return fmt.Errorf("%w: %d bytes, mode %v", errPackage, info.Size(), info.Mode())
	}
	zr, err := gzip.NewReader(bufio.NewReaderSize(f, 64<<10))
	if err != nil {
		return err
	}
	return x.read(ctx, tar.NewReader(io.LimitReader(zr, maxUnpacked)))
}

// read goes through the entries until every member was seen. What concerns one
// member ends in its result; an error concerns the whole package.
func (x *extraction) read(ctx context.Context, tr *tar.Reader) error {
	for range maxEntries {
		if len(x.members) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := memberPath(h)
		if err != nil {
			return err
		}
		m, wanted := x.members[name]
		if !wanted || h.Typeflag != tar.TypeReg {
			continue
		}
		delete(x.members, name)
		x.result[m.ID] = x.take(m, tr, h.Size)
	}
	return fmt.Errorf("%w: more than %d entries", errPackage, maxEntries)
}

// take copies a member of the given size to a temporary file, verifies it and
// installs it.
func (x *extraction) take(m member, r io.Reader, size int64) error {
	if size != m.Size {
		return fmt.Errorf("%s has %d bytes, want %d", m.source.Path, size, m.Size)
	}
	temp, err := os.Create(filepath.Join(x.dir, "member"))
	if err != nil {
		return err
	}
	defer temp.Close() // install closes it on success
	if _, err := io.Copy(temp, r); err != nil {
		return fmt.Errorf("%s: %w", m.source.Path, err)
	}
	x.p.emit(Event{Artifact: m.ID, Source: m.source.String(), Stage: StageVerify, Bytes: size, Total: size})
	if err := models.Verify(m.Artifact, temp.Name()); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(x.p.path(m.Artifact)), 0o755); err != nil {
		return err
	}
	return x.p.install(m.Artifact, m.source, temp)
}

// memberPath returns the path of an entry below the package's one top
// directory. Packages hold files and directories only; anything else, and any
// name that leads out, says that this is not a package that npm made.
func memberPath(h *tar.Header) (string, error) {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir, tar.TypeXGlobalHeader:
	default:
		return "", fmt.Errorf("%w: %q has type %q", errPackage, h.Name, h.Typeflag)
	}
	if path.IsAbs(h.Name) || strings.ContainsAny(h.Name, "\\\x00") {
		return "", fmt.Errorf("%w: odd path %q", errPackage, h.Name)
	}
	for part := range strings.SplitSeq(h.Name, "/") {
		if part == ".." {
			return "", fmt.Errorf("%w: odd path %q", errPackage, h.Name)
		}
	}
	_, below, _ := strings.Cut(path.Clean(h.Name), "/")
	return below, nil
}
