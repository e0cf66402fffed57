package launch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// most is far above any command line and keeps a wrong path or page harmless.
const most = 1 << 20

var errLong = fmt.Errorf("longer than %d bytes, which is no command line", most)

func readFile(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read launch arguments: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && len(text) > most {
		err = errLong
	}
	if err != nil {
		return nil, fmt.Errorf("read launch arguments %s: %w", path, err)
	}
	return parse(string(text)), nil
}

func readPage(ctx context.Context, client *httpclient.Client, page string) ([]string, error) {
	if client == nil {
		return nil, errNoClient
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return nil, errors.New("read launch arguments: cannot make a request of the URL in the configuration")
	}
	shown := httpclient.Display(req.URL)
	resp, err := client.Read(ctx, req, most, nil)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read launch arguments %s: %w", shown, err)
	case httpclient.LooksLikeHTML(resp.Body):
		return nil, fmt.Errorf("read launch arguments %s: %s", shown, httpclient.HTML)
	}
	return parse(string(resp.Body)), nil
}

// parse reads a command line, or a JSON list of its words.
func parse(text string) []string {
	var words []string
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		return split(text)
	}
	args, _ := knobs.Arguments(words)
	return append([]string{}, masked(args)...)
}

// masked takes out the values of keys, tokens and passwords, by the rule that hides them in the configuration.
func masked(args []string) []string {
	secret := func(name string) bool {
		probe := "--" + strings.TrimLeft(name, "-") + "=x"
		return config.Args(probe).String() != probe
	}
	out := make([]string, len(args))
	for i, a := range args {
		name, _, whole := strings.Cut(a, "=")
		flag := strings.HasPrefix(a, "-")
		switch {
		case i > 0 && strings.HasPrefix(args[i-1], "-") && !strings.Contains(args[i-1], "=") && secret(args[i-1]) && !flag:
			out[i] = hidden
		case whole && secret(name) && !strings.ContainsAny(name, " \t{[\"'"):
			out[i] = name + "=" + hidden
		default:
			out[i] = within(a)
		}
	}
	return out
}

const hidden = "<secret>"

// within hides the password of a URL in a word.
func within(word string) string {
	before, after, ok := strings.Cut(word, "://")
	if !ok {
		return word
	}
	host, _, _ := strings.Cut(after, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		return before + "://" + hidden + after[at:]
	}
	return word
}
