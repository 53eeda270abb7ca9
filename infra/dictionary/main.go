// Command dictionary trains the dictionary that bodies are compressed with, from
// the recorded events of schema/corpus, and measures what it is worth.
//
//	go run ./infra/dictionary -out FILE   trains a new one
//	go run ./infra/dictionary -check      trains it again and compares
//	go run ./infra/dictionary -measure    prints the table of infra/README.md
//
// It exists so that anybody can see where the dictionary's bytes come from and
// how much of its gain is left for events that it was not trained on. The
// dictionary is public and goes into every binary, so it holds what belongs to
// SDKs and libraries, nothing of the programs that were recorded: see clean.
//
// A dictionary that ever compressed a stored body is kept as it is for ever. A
// better one is a new file under a new encoding number (package wire), which is
// why -out does not overwrite.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const (
	// committed is the dictionary in use, seen from the repository's root.
	committed = "schema/wire/dictionary-1.zdict"

	// trainedOn is the fingerprint of the samples that made it.
	trainedOn = "0fbee578a22d7140"
)

// errCorpusChanged means that the committed dictionary cannot be made again here.
var errCorpusChanged = errors.New("the recorded events are others than those the dictionary was trained on; that is fine, it stays as it is")

func main() {
	out := flag.String("out", "", "train and write `FILE`, which must not exist")
	check := flag.Bool("check", false, "train and compare with "+committed)
	table := flag.Bool("measure", false, "measure "+committed)
	flag.Parse()
	if err := run(os.Stdout, *out, *check, *table); err != nil {
		fmt.Fprintln(os.Stderr, "dictionary:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, out string, check, table bool) error {
	samples, large, err := load()
	if err != nil {
		return err
	}
	switch {
	case out != "":
		return write(w, out, samples)
	case check:
		return compare(committed, samples)
	case table:
		dictionary, err := os.ReadFile(committed)
		if err != nil {
			return err
		}
		return measure(w, samples, large, dictionary)
	}
	return errors.New("say -out FILE, -check or -measure")
}

func write(w io.Writer, out string, samples []sample) error {
	dictionary, err := train(samples)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(dictionary); err != nil {
		return errors.Join(err, file.Close())
	}
	fmt.Fprintf(w, "%s: %d bytes, id %d, trained on samples %s\n", out, len(dictionary), dictionaryID, fingerprint(samples))
	return file.Close()
}

// compare returns nil if training makes the file's bytes.
func compare(path string, samples []sample) error {
	want, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if fingerprint(samples) != trainedOn {
		return errCorpusChanged
	}
	got, err := train(samples)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("training makes other bytes than %s; keep that file, and see what changed in the trainer or in klauspost/compress", path)
	}
	return nil
}
