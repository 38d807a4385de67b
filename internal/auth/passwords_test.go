package auth_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
)

var _ chat.Passwords = (*auth.Passwords)(nil)

func TestPasswords(t *testing.T) {
	p := auth.NewPasswords(2, rand.Reader)
	hash, err := p.Hash("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Hash("correct horse")
	if err != nil || again == hash {
		t.Fatalf("two hashes of one password must differ: %q, %v", again, err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("not a PHC string of Argon2id: %s", hash)
	}
	for _, tt := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"the password", hash, "correct horse", true},
		{"another", hash, "correct horses", false},
		{"another case", hash, "Correct horse", false},
		{"no password", hash, "", false},
		{"no hash", "", "", false},
		{"no hash, some password", "", "correct horse", false},
		{"cut off", hash[:len(hash)-1], "correct horse", false},
		{"no key", hash[:strings.LastIndex(hash, "$")+1], "", false},
		{"another algorithm", strings.Replace(hash, "argon2id", "argon2i", 1), "correct horse", false},
		{"another version", strings.Replace(hash, "v=19", "v=16", 1), "correct horse", false},
		{"other passes", strings.Replace(hash, "t=2", "t=1", 1), "correct horse", false},
		{"no passes", strings.Replace(hash, "t=2", "t=0", 1), "correct horse", false},
		{"no threads", strings.Replace(hash, "p=1", "p=0", 1), "correct horse", false},
		{"memory for an attack", strings.Replace(hash, "m=19456", "m=4294967295", 1), "correct horse", false},
		{"plain text", "correct horse", "correct horse", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.Matches(tt.hash, tt.password); got != tt.want {
				t.Fatalf("got %v", got)
			}
		})
	}
}

func TestPasswordsReadForeignCosts(t *testing.T) {
	// The example of the reference implementation's README: password "password",
	// salt "somesalt", t=2, m=65536, p=4, as Argon2id.
	const hash = "$argon2id$v=19$m=65536,t=2,p=4$c29tZXNhbHQ$GpZ3sK/oH9p7VIiV56G/64Zo/8GaUw434IimaPqxwCo"
	p := auth.NewPasswords(1, rand.Reader)
	if !p.Matches(hash, "password") || p.Matches(hash, "Password") {
		t.Error("a hash of another tool is not understood")
	}
}

func TestPasswordsWithoutRandom(t *testing.T) {
	broken := errors.New("no entropy")
	if hash, err := auth.NewPasswords(1, iotest.ErrReader(broken)).Hash("x"); !errors.Is(err, broken) || hash != "" {
		t.Fatalf("%q, %v", hash, err)
	}
}

// More callers than slots all get their answer.
func TestPasswordsUnderAFlood(t *testing.T) {
	p := auth.NewPasswords(1, rand.Reader)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if p.Matches("", "x") {
				t.Error("an empty hash matched")
			}
		})
	}
	wg.Wait()
}
