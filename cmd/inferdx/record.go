package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/source/recording"
)

func (a *app) record() *cobra.Command {
	var l live
	var h httpFlags
	var file string
	cmd := &cobra.Command{
		Use:   "record --url URL... -o FILE",
		Short: "Save what is scraped as a recording",
		Long: `Scrapes metrics pages for a while and saves all their series as OpenMetrics text with timestamps,
which inferdx diagnose --recording and promtool tsdb create-blocks-from openmetrics read.`,
		Example: "  inferdx record --url h200-0:8000 --url h200-0:9400 --duration 1m -o incident.om.gz",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case len(l.urls) == 0:
				return usage("as --url host:8000", "record needs --url")
			case file == "":
				return usage("as -o incident.om.gz", "record needs -o FILE")
			case l.duration < l.interval:
				return usage("two scrapes are the least that rates can be told from", "--duration is shorter than --interval")
			}
			got, err := a.scrape(cmd.Context(), &l, &h, nil)
			if err != nil {
				return err
			}
			if err := save(file, func(w io.Writer) error { return recording.Write(w, got.store, got.types) }); err != nil {
				return err
			}
			for _, f := range got.faults {
				_, _ = fmt.Fprint(a.err, printable("warning: "+f.Source+": "+f.Err+"\n"))
			}
			_, err = fmt.Fprintf(a.out, "%s: %d scrapes\ninferdx diagnose --recording %s\n", file, mostScrapes(got.store), file)
			return err
		},
	}
	l.flags(cmd.Flags())
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write; packed with gzip when it ends in .gz")
	h.flags(cmd.Flags())
	return cmd
}

// save writes a file as a whole or not at all.
func save(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".inferdx-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	out := bufio.NewWriter(f)
	var w io.Writer = out
	finish := out.Flush
	if strings.HasSuffix(path, ".gz") {
		z := gzip.NewWriter(out)
		w, finish = z, func() error {
			if err := z.Close(); err != nil {
				return err
			}
			return out.Flush()
		}
	}
	for _, step := range []func() error{
		func() error { return write(w) }, finish,
		func() error { return f.Chmod(0o644) }, f.Close,
		func() error { return os.Rename(f.Name(), path) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
