package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/kith-photos/kith/store"
	"github.com/kith-photos/kith/store/keyring"
)

// checkKeys refuses a host key that lies with what it is to protect.
func (c *config) checkKeys() error {
	switch {
	case c.keys == "" && c.key == "":
		return nil
	case c.key == "":
		return errors.New("-keys needs the host key too, -key FILE; -new-key FILE makes one")
	case c.keys == "":
		return errors.New("-key goes with -keys DIR, the folder of the accounts' keys")
	}
	dir, err := realPath(c.keys)
	if err != nil {
		return fmt.Errorf("-keys %s: %w", c.keys, err)
	}
	file, err := realPath(c.key)
	if err != nil {
		return fmt.Errorf("-key %s: %w", c.key, err)
	}
	if in, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(in) {
		return fmt.Errorf("-key %s lies in -keys %s: whoever copies that folder has both; keep them apart", c.key, c.keys)
	}
	return nil
}

// realPath resolves links, as far as there is something at the path.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	return real, err
}

// openKeys returns nil for a plain account.
func openKeys(cfg config) (store.KeyProvider, error) {
	if cfg.keys == "" {
		return nil, nil
	}
	host, err := keyring.ReadKey(cfg.key)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; -new-key FILE makes one for new accounts", err)
	}
	if err != nil {
		return nil, err
	}
	defer clear(host)
	ring, err := keyring.Open(cfg.keys, host)
	if err != nil {
		return nil, fmt.Errorf("-keys: %w", err)
	}
	return ring, nil
}

func makeKey(cfg config, out *reporter) (int, error) {
	if err := keyring.CreateKey(cfg.newKey); err != nil {
		return 0, err
	}
	out.note("%s is a new host key, for -key. Keep a copy where neither the accounts nor the folder of -keys are:\n"+
		"without it nobody can read what it seals", cfg.newKey)
	return exitOK, nil
}
