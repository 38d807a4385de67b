package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// cost is what one hash takes.
type cost struct {
	memory  uint32 // KiB
	time    uint32 // passes
	threads uint8
}

const (
	saltBytes = 16
	hashBytes = 32
	maxMemory = 256 << 10 // KiB: a stored hash may not ask for more
	maxTime   = 16
)

// defaultCost is OWASP's for Argon2id on a small server: 19 MiB, two passes.
func defaultCost() cost { return cost{memory: 19 << 10, time: 2, threads: 1} }

// Passwords hashes passwords with Argon2id in the PHC string format. It
// implements chat.Passwords and is safe for concurrent use; at most a fixed
// number of hashes are computed at once, so that a flood of logins waits
// instead of taking the memory.
type Passwords struct {
	random io.Reader
	slots  chan struct{}
}

// NewPasswords computes at most parallel hashes at once, 19 MiB each, with
// salts from random.
func NewPasswords(parallel int, random io.Reader) *Passwords {
	return &Passwords{random: random, slots: make(chan struct{}, max(parallel, 1))}
}

// Hash returns a new hash of the password.
func (p *Passwords) Hash(password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(p.random, salt); err != nil {
		return "", fmt.Errorf("reading random bytes for a salt: %w", err)
	}
	c := defaultCost()
	key := p.derive(password, salt, c, hashBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Matches says whether the hash is one of the password. A hash that is empty
// or can't be read takes as long as any other and matches nothing, so that the
// time tells nobody which logins exist.
func (p *Passwords) Matches(hash, password string) bool {
	c, salt, want, ok := parseHash(hash)
	if !ok {
		p.derive(password, make([]byte, saltBytes), defaultCost(), hashBytes)
		return false
	}
	got := p.derive(password, salt, c, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

func (p *Passwords) derive(password string, salt []byte, c cost, size uint32) []byte {
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, size)
}

// sane says whether the cost can be computed, here and in reasonable time.
func (c cost) sane() bool {
	return c.memory > 0 && c.memory <= maxMemory && c.time > 0 && c.time <= maxTime && c.threads > 0
}

// parseHash reads a PHC string of Argon2id.
func parseHash(hash string) (c cost, salt, key []byte, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil || n != 3 || !c.sane() {
		return c, nil, nil, false
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(key) < 16 || len(key) > 64 {
		return c, nil, nil, false
	}
	return c, salt, key, true
}
