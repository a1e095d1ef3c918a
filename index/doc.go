// Package index is kith's door: an [Account] finds the people of one photo
// library and keeps all that it learned in one SQLite file.
//
// Open an account, record the consent that face recognition needs, and
// Reindex a folder:
//
//	acc, err := index.Open(ctx, "family.kith", index.Config{Analyzer: engine.Analyzer()})
//	...
//	err = acc.SetConsent(ctx, index.Consent{Given: true, By: "anna", Version: "1", Means: "host"})
//	report, err := acc.Reindex(ctx, os.DirFS("/photos"), index.ReindexOptions{})
//	for person, err := range acc.People(ctx, index.PeopleQuery{}) { ... }
//
// Photos and faces are facts. What somebody says (this is Anna, these two are
// one) is an entry in a ledger that is never changed, only revoked. People are
// derived from both and may be derived again at any time.
//
// An Account is safe for concurrent use. Methods block until they are done or
// ctx is; goroutines run only inside Reindex. No method takes an account id,
// and none reaches the network.
package index
