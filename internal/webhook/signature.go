package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers of Standard Webhooks 1.0 (specs/delivery.md).
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// Tolerance is how far the timestamp of a call may be from the receiver's clock, either way.
const Tolerance = 5 * time.Minute

const (
	secretPrefix    = "whsec_"
	versionPrefix   = "v1,"
	idLimit         = 256
	signaturesLimit = 32
)

// Why Verify refuses a call.
var (
	// ErrUnsigned: a header of the signature is missing.
	ErrUnsigned = errors.New("not signed: webhook-id, webhook-timestamp or webhook-signature is missing")
	// ErrTimestamp: the timestamp is no number of seconds, or further than Tolerance from now.
	ErrTimestamp = errors.New("the webhook-timestamp is not within 5 minutes of the receiver's clock")
	// ErrSignature: no signature fits the body, the id, the timestamp and any of the secrets.
	ErrSignature = errors.New("the webhook-signature does not fit the secret and the body")
)

// CheckSecret reports whether secret can sign: `whsec_` and base64, or any other non-empty string,
// whose bytes are the key. The error does not repeat it.
func CheckSecret(secret string) error {
	_, err := secretKey(secret)
	return err
}

func secretKey(secret string) ([]byte, error) {
	if secret == "" {
		return nil, errors.New("the signing secret is empty")
	}
	encoded, prefixed := strings.CutPrefix(secret, secretPrefix)
	if !prefixed {
		return []byte(secret), nil
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil || len(key) == 0 {
		return nil, errors.New("the signing secret begins with whsec_ but no base64 follows")
	}
	return key, nil
}

// CheckID reports whether id can be a webhook-id: 1 to 256 visible ASCII characters without a dot,
// which separates the signed parts.
func CheckID(id string) error {
	if id == "" || len(id) > idLimit {
		return fmt.Errorf("a webhook-id must have 1 to %d characters", idLimit)
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' || c == '.' {
			return fmt.Errorf("a webhook-id can't contain %q", c)
		}
	}
	return nil
}

// Sign returns the webhook-signature of a body sent at a moment under an id: `v1,` and the base64
// of HMAC-SHA256 over `id.seconds.body`, one for each secret, separated by spaces (several while
// a secret is being replaced).
func Sign(id string, at time.Time, body []byte, secrets ...string) (string, error) {
	if err := CheckID(id); err != nil {
		return "", err
	}
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			return "", err
		}
		mac := signedWith(key, id, strconv.FormatInt(at.Unix(), 10), body)
		signatures = append(signatures, versionPrefix+base64.StdEncoding.EncodeToString(mac))
	}
	return strings.Join(signatures, " "), nil
}

func signedWith(key []byte, id, seconds string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + seconds + ".")) // a hash never fails to write
	mac.Write(body)
	return mac.Sum(nil)
}

// Verify reports whether a call received now was signed with one of the secrets. The body must be
// the bytes received, untouched. The error is ErrUnsigned, ErrTimestamp, ErrSignature, or tells
// that a secret or the id is malformed. The comparison takes the same time for right and wrong.
func Verify(header http.Header, body []byte, now time.Time, secrets ...string) error {
	id, seconds, list := header.Get(HeaderID), header.Get(HeaderTimestamp), header.Get(HeaderSignature)
	if id == "" || seconds == "" || list == "" {
		return ErrUnsigned
	}
	if err := CheckID(id); err != nil {
		return err
	}
	if err := checkTimestamp(seconds, now); err != nil {
		return err
	}
	given := parseSignatures(list)
	for _, secret := range secrets {
		key, err := secretKey(secret)
		if err != nil {
			return err
		}
		expected := signedWith(key, id, seconds, body)
		for _, mac := range given {
			if hmac.Equal(mac, expected) {
				return nil
			}
		}
	}
	return ErrSignature
}

func checkTimestamp(seconds string, now time.Time) error {
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || strconv.FormatInt(at, 10) != seconds {
		return ErrTimestamp
	}
	tolerance := int64(Tolerance / time.Second)
	if at < now.Unix()-tolerance || at > now.Unix()+tolerance {
		return ErrTimestamp
	}
	return nil
}

// parseSignatures returns the v1 signatures of a webhook-signature header, at most 32. Other
// versions (v1a is asymmetric) and malformed entries are left out: another one may fit.
func parseSignatures(list string) [][]byte {
	var macs [][]byte
	for entry := range strings.SplitSeq(list, " ") {
		encoded, isV1 := strings.CutPrefix(entry, versionPrefix)
		if !isV1 || len(encoded) != base64.StdEncoding.EncodedLen(sha256.Size) {
			continue
		}
		mac, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(mac) != sha256.Size {
			continue
		}
		macs = append(macs, mac)
		if len(macs) == signaturesLimit {
			break
		}
	}
	return macs
}
