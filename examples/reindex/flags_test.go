package main

import (
	"flag"
	"io"
	"slices"
	"strings"
	"testing"
)

// -h shows every flag under one topic, and the tasks know the flags by name.
func TestEveryFlagHasItsTopic(t *testing.T) {
	var c config
	f := c.flags()
	var listed []string
	for _, topic := range topics {
		listed = append(listed, strings.Fields(topic.flags)...)
	}
	slices.Sort(listed)
	var all []string
	f.VisitAll(func(fl *flag.Flag) { all = append(all, fl.Name) })
	if !slices.Equal(listed, all) {
		t.Errorf("the topics list\n%v\nand the flags are\n%v", listed, all)
	}
	for task, with := range tasks {
		for _, name := range append(strings.Fields(with), task) {
			if f.Lookup(name) == nil {
				t.Errorf("task %s: there is no flag -%s", task, name)
			}
		}
	}
	var help strings.Builder
	if _, err := parse([]string{"-v", "-h"}, &help); err != flag.ErrHelp {
		t.Errorf("got %v", err)
	}
	for _, name := range all {
		if !strings.Contains(help.String(), "\n  -"+name) {
			t.Errorf("the help lacks -%s", name)
		}
	}
	for line := range strings.Lines(help.String()) {
		if n := len(strings.TrimRight(line, "\n")); n > 110 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}

// A task is one flag, and nothing else is done with it.
func TestTasks(t *testing.T) {
	for args, want := range map[string]string{
		"-withdraw -keep-names":      "withdraw",
		"-forget Anna -db x.db":      "forget",
		"-erase-account -yes":        "erase-account",
		"-new-key a.key -json":       "new-key",
		"-keys k -key h -expire -v ": "expire",
		"-export - -embeddings":      "export",
	} {
		c, err := parse(strings.Fields(args), io.Discard)
		if err != nil || c.task != want {
			t.Errorf("%s: task %q, %v; want %q", args, c.task, err, want)
		}
	}
	for _, args := range []string{
		"-withdraw -after delete", "-erase-account -keep-names", "-due -consent", "-audit -html x", "-new-key a -db b",
		"-new-key", "-demo -after delete -yes", "-demo -withdraw", ". -after destroy", ". -after delete -due",
		"-export x -force", "-export - -json", "-export x -db x", "-export x -audit",
	} {
		if c, err := parse(strings.Fields(args), io.Discard); err == nil {
			t.Errorf("%s: no error, task %q", args, c.task)
		}
	}
}
