package yamlpos

import (
	"strings"
	"unicode/utf8"
)

// maxWord bounds the words Nearest compares; nobody mistypes longer ones.
const maxWord = 64

// Nearest returns the known word that the given one is most likely a slip of,
// or "" when none is close. Case, hyphen and underscore count little.
func Nearest(word string, known []string) string {
	if utf8.RuneCountInString(word) > maxWord {
		return ""
	}
	w := fold(word)
	best, bestDistance := "", max(1, len(w)/3)+1
	for _, k := range known {
		if utf8.RuneCountInString(k) > maxWord || k == "" {
			continue
		}
		n := distance(w, fold(k))
		if n >= max(len(w), len([]rune(k))) {
			continue // nothing in common
		}
		if n < bestDistance || n == bestDistance && best != "" && k < best {
			best, bestDistance = k, n
		}
	}
	return best
}

func fold(s string) []rune {
	return []rune(strings.ReplaceAll(strings.ToLower(s), "-", "_"))
}

// distance counts inserted, deleted, replaced and swapped characters.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
