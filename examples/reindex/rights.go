package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/kith-photos/kith/index"
)

// tasks are what can be done instead of indexing, by flag, with the flags that
// go with them.
var tasks = map[string]string{
	"withdraw":      "db keys key json v keep-names",
	"forget":        "db keys key json v",
	"erase-account": "db keys key json v yes",
	"audit":         "db keys key json v",
	"retain":        "db keys key json v",
	"due":           "db keys key json v",
	"expire":        "db keys key json v",
	"import":        "db keys key json v consent",
	"new-key":       "json v",
	"export":        "db keys key json v embeddings",          // if there is no folder
	"moments":       "db keys key json v zone places regions", // as well
}

// chooseTask finds the one task among the flags that were given.
func (c *config) chooseTask(folders, set []string) error {
	run := c.demo || len(folders) > 0
	for _, name := range set {
		if _, ok := tasks[name]; !ok || run && (name == "export" || name == "moments") {
			continue
		}
		if c.task != "" {
			return fmt.Errorf("-%s and -%s: one at a time", c.task, name)
		}
		c.task = name
	}
	if c.task == "" {
		return nil
	}
	for _, name := range set {
		if name != c.task && !slices.Contains(strings.Fields(tasks[c.task]), name) {
			return fmt.Errorf("-%s does not go with -%s", name, c.task)
		}
	}
	switch {
	case len(folders) > 0:
		return fmt.Errorf("-%s needs no folder, only -db", c.task)
	case c.task == "forget" && c.forget == "":
		return errors.New("-forget wants a person's name or id")
	case c.task == "import" && c.imports == "":
		return errors.New("-import wants the file or folder of an export")
	case c.task == "new-key" && c.newKey == "":
		return errors.New("-new-key wants the name of a new file")
	}
	return nil
}

// serve does a task. It needs no models and no photos.
func serve(ctx context.Context, cfg config, stdin *os.File, out *reporter) (int, error) {
	if cfg.task == "new-key" {
		return makeKey(cfg, out)
	}
	acc, err := openExisting(ctx, cfg)
	if err != nil {
		return 0, explain(cfg, err)
	}
	status, err := do(ctx, cfg, acc, stdin, out)
	return status, explain(cfg, errors.Join(err, acc.Close()))
}

// openExisting opens the account, and makes none but for an import.
func openExisting(ctx context.Context, cfg config) (*index.Account, error) {
	if _, err := os.Stat(cfg.db); errors.Is(err, fs.ErrNotExist) && cfg.task != "import" {
		return nil, fmt.Errorf("there is no account in %s; -db says where it is", cfg.db)
	}
	keys, err := openKeys(cfg)
	if err != nil {
		return nil, err
	}
	reads := cfg.task == "audit" || cfg.task == "due" || cfg.task == "export"
	opt := index.Config{Keys: keys, ReadOnly: reads}
	if err := whenAndWhere(cfg, &opt); err != nil {
		return nil, err
	}
	return index.Open(ctx, cfg.db, opt)
}

func do(ctx context.Context, cfg config, acc *index.Account, stdin *os.File, out *reporter) (int, error) {
	switch cfg.task {
	case "audit":
		return audit(ctx, acc, out)
	case "due":
		return exitOK, due(ctx, acc, out)
	case "retain":
		return exitOK, retain(ctx, cfg, acc)
	case "expire":
		return exitOK, expire(ctx, acc, out)
	case "moments":
		return exitOK, out.moments(ctx, acc)
	case "export":
		return exitOK, export(ctx, cfg, acc, nil, out)
	case "import":
		return exitOK, importExport(ctx, cfg, acc, stdin, out)
	}
	var receipt index.Receipt
	var err error
	switch cfg.task {
	case "withdraw":
		c := index.Consent{By: "owner", Version: consentVersion, Means: "flag"}
		receipt, err = acc.WithdrawConsent(ctx, c, cfg.keepNames)
	case "forget":
		var id index.PersonID
		if id, err = findPerson(ctx, acc, cfg.forget); err == nil {
			receipt, err = acc.ErasePerson(ctx, id)
		}
	case "erase-account":
		if err = allowErasure(ctx, cfg, stdin, out); err == nil {
			receipt, err = acc.EraseAll(ctx)
		}
	}
	if receipt.ID != "" {
		out.receipt(receipt)
		out.note("pages and exports that were written earlier are not touched: delete them, or write them anew")
	}
	return exitOK, err
}

// findPerson finds a person by id or by exact name, among the ignored too. Its
// errors name nobody: standard error may be kept as a log.
func findPerson(ctx context.Context, acc *index.Account, who string) (index.PersonID, error) {
	var called []string
	for p, err := range acc.People(ctx, index.PeopleQuery{Ignored: index.Include}) {
		switch {
		case err != nil:
			return "", err
		case string(p.ID) == who:
			return p.ID, nil
		case p.Name == who:
			called = append(called, string(p.ID))
		}
	}
	switch len(called) {
	case 0:
		return "", errors.New("-forget: nobody has exactly that name, or that id")
	case 1:
		return index.PersonID(called[0]), nil
	}
	return "", fmt.Errorf("-forget: %d people have that name; say which by id: %s", len(called), strings.Join(called, ", "))
}

// allowErasure asks on a terminal; elsewhere -yes must have said so.
func allowErasure(ctx context.Context, cfg config, stdin *os.File, out *reporter) error {
	if cfg.yes {
		return nil
	}
	if !interactive(cfg, stdin) {
		return errors.New("-erase-account erases everything for good; without a terminal to ask on it wants -yes too")
	}
	name := filepath.Base(cfg.db)
	out.prompt("Everything in %s will be erased for good.\nType %s to go on: ", printable(cfg.db), printable(name))
	answer, err := readLine(ctx, stdin)
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != name {
		return errors.New("nothing was erased")
	}
	return nil
}

// interactive tells whether there is somebody to ask.
func interactive(cfg config, stdin *os.File) bool {
	return term.IsTerminal(int(stdin.Fd())) && !cfg.json
}

// audit prints the audit and verifies the account, of which it is part.
func audit(ctx context.Context, acc *index.Account, out *reporter) (int, error) {
	n := 0
	for e, err := range acc.Audit(ctx) {
		if err != nil {
			return 0, err
		}
		out.entry(e)
		n++
	}
	status := exitOK
	for err := range acc.Check(ctx) {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		status = exitFailed
		out.problem(err.Error())
	}
	if status == exitOK {
		out.note("%s; nothing in the account contradicts itself", count(n, "entry", "entries"))
	}
	return status, nil
}

// retain takes over what -retain says, and leaves the other classes.
func retain(ctx context.Context, cfg config, acc *index.Account) error {
	r, err := acc.Retention(ctx)
	if err != nil {
		return err
	}
	const day, most = 24 * time.Hour, int(index.Forever / (24 * time.Hour))
	for part := range strings.SplitSeq(cfg.retain, ",") {
		class, period, _ := strings.Cut(part, "=")
		if period == "forever" {
			r[index.Class(class)] = index.Forever
			continue
		}
		days, err := strconv.Atoi(period)
		if err != nil || days < 0 || days > most {
			return fmt.Errorf("-retain %q: want CLASS=DAYS or CLASS=forever", part)
		}
		r[index.Class(class)] = time.Duration(days) * day
	}
	return acc.SetRetention(ctx, r)
}

// due prints what there is to expire, until the end of days that matter.
func due(ctx context.Context, acc *index.Account, out *reporter) error {
	now := time.Now()
	list, err := acc.Due(ctx, now.AddDate(100, 0, 0))
	if err != nil {
		return err
	}
	for _, d := range list {
		out.dueAt(d, now)
	}
	if len(list) == 0 {
		out.note("nothing is due: what there is stays until somebody erases it, or -retain says how long it is kept")
	}
	return nil
}

func expire(ctx context.Context, acc *index.Account, out *reporter) error {
	done, err := acc.Expire(ctx, index.ExpireOptions{})
	for _, r := range done.Receipts {
		out.receipt(r)
	}
	if err == nil && len(done.Receipts) == 0 {
		out.note("nothing was due")
	}
	return err
}

// entry prints one entry of the audit.
func (r *reporter) entry(e index.AuditEntry) {
	if r.cfg.json {
		r.event("audit", entryFields(e))
		return
	}
	_, _ = fmt.Fprintf(r.results, "%4d  %s  %s  %s: %s  %s\n", e.Seq, e.At.UTC().Format(time.RFC3339),
		printable(e.Actor), printable(e.Action), counts(e), printable(e.ID))
}

// receipt prints the proof of an erasure.
func (r *reporter) receipt(e index.Receipt) {
	if r.cfg.json {
		r.event("receipt", entryFields(e))
		return
	}
	_, _ = fmt.Fprintf(r.results, "erased: %s\nreceipt %s: %s, %s, entry %d of the audit, SHA-256 %x\n", counts(e),
		printable(e.ID), printable(e.Action), e.At.UTC().Format(time.RFC3339), e.Seq, e.Hash)
}

func entryFields(e index.AuditEntry) map[string]any {
	return map[string]any{
		"id": e.ID, "seq": e.Seq, "at": e.At.UTC().Format(time.RFC3339Nano), "actor": e.Actor, "action": e.Action,
		"counts": e.Counts, "sha256": fmt.Sprintf("%x", e.Hash),
	}
}

func counts(e index.AuditEntry) string {
	var parts []string
	for class, n := range e.Counts {
		parts = append(parts, fmt.Sprintf("%s %d", class, n))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (r *reporter) dueAt(d index.Due, now time.Time) {
	if r.cfg.json {
		r.event("due", map[string]any{"class": d.Class, "at": d.At.UTC().Format(time.RFC3339), "count": d.Count})
		return
	}
	when := d.At.Local().Format(time.DateTime)
	if !d.At.After(now) {
		when = "now"
	}
	by := ""
	switch d.Class {
	case index.ClassOriginals:
		by = " (by -after delete)"
	case index.ClassExports, index.ClassCrops, index.ClassShares:
		by = " (by the program that made them)"
	}
	_, _ = fmt.Fprintf(r.results, "%-19s  %s %d%s\n", when, d.Class, d.Count, by)
}
