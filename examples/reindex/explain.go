package main

import (
	"errors"
	"fmt"

	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/store"
)

// explain adds what to do about an error.
func explain(cfg config, err error) error {
	var tampered *store.TamperedError
	switch {
	case errors.Is(err, index.ErrBusy):
		return fmt.Errorf("%w: another program has it open; try again when that has ended", err)
	case errors.Is(err, index.ErrOtherSource):
		return fmt.Errorf("%s: %w; use another -db for this folder, or -moved if it is the same one under a new name", cfg.db, err)
	case errors.Is(err, index.ErrNothingFound):
		return fmt.Errorf("%s: %w; is the disk mounted? -allow-empty forgets them", cfg.folder, err)
	case errors.Is(err, index.ErrNoKey) && cfg.keys == "":
		return fmt.Errorf("%w; say with -keys DIR and -key FILE where it is", err)
	case errors.Is(err, index.ErrNoKey):
		return fmt.Errorf("%w; is -keys %s the right folder? If the key was destroyed, nobody can read the account any more", err, cfg.keys)
	case errors.Is(err, index.ErrWrongKey):
		return fmt.Errorf("%w; is -key %s the host key that the account was sealed with?", err, cfg.key)
	case errors.As(err, &tampered):
		return fmt.Errorf("%w; bring back a backup of the account", err)
	case errors.Is(err, index.ErrErased):
		return fmt.Errorf("%s: %w; -audit shows it; use another -db for new photos", cfg.db, err)
	case errors.Is(err, index.ErrClock):
		return fmt.Errorf("%w; set it right, nothing was erased", err)
	}
	return err
}
