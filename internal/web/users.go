package web

import (
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

// Users says whether a web configuration file asks everybody for a password. A request carries one
// Authorization header, so that nothing else can be asked for in it.
func Users(configFile string) (bool, error) {
	if configFile == "" {
		return false, nil
	}
	text, err := os.ReadFile(configFile)
	if err != nil {
		return false, fmt.Errorf("web configuration: %w", err)
	}
	var c struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return false, fmt.Errorf("web configuration %s: %w", configFile, err)
	}
	return len(c.Users) > 0, nil
}
