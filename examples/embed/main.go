// Command embed is kith in ten lines: what a gallery's author copies.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/kith-photos/kith/face/onnx"
	"github.com/kith-photos/kith/index"
	"github.com/kith-photos/kith/models/fetch"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: embed ACCOUNT.db FOLDER   (running it consents to face recognition)")
	}
	if err := people(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func people(ctx context.Context, db, folder string) error {
	models, err := fetch.Provision(ctx, fetch.FromEnv()) // once; later runs find them in the cache
	if err != nil {
		return err
	}
	engine, err := onnx.Open(models, onnx.Options{}) // shared by all accounts
	if err != nil {
		return err
	}
	defer func() { _ = engine.Close() }()
	account, err := index.Open(ctx, db, index.Config{Analyzer: engine.Analyzer()})
	if err != nil {
		return err
	}
	defer func() { _ = account.Close() }()
	if err := account.SetConsent(ctx, index.Consent{Given: true, By: "owner", Version: "1", Means: "host"}); err != nil {
		return err
	}
	if _, err := account.Reindex(ctx, os.DirFS(folder), index.ReindexOptions{}); err != nil {
		return err
	}
	for person, err := range account.People(ctx, index.PeopleQuery{}) {
		if err != nil {
			return err
		}
		fmt.Println(person.ID, person.Name, person.Faces)
	}
	return nil
}
