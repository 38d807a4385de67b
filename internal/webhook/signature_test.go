package webhook

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The example that the Standard Webhooks libraries share.
const (
	vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID     = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorBody   = `{"test": 2432232314}`
	vectorSigned = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var vectorTime = time.Unix(1614265330, 0)

func signedHeader(id, seconds, signature string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{HeaderID: id, HeaderTimestamp: seconds, HeaderSignature: signature} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

func TestSignKnownVector(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(vectorSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{vectorSecret, string(key)} { // encoded, and the raw bytes
		got, err := Sign(vectorID, vectorTime, []byte(vectorBody), secret)
		if err != nil || got != vectorSigned {
			t.Errorf("Sign = %q, %v, want %q", got, err, vectorSigned)
		}
	}
}

func TestSignTimestampIsInWholeSeconds(t *testing.T) {
	got, err := Sign(vectorID, vectorTime.Add(999*time.Millisecond).In(time.FixedZone("", 3600)), []byte(vectorBody), vectorSecret)
	if err != nil || got != vectorSigned {
		t.Errorf("Sign = %q, %v, want %q", got, err, vectorSigned)
	}
}

func TestSecretsWhileRotating(t *testing.T) {
	const older, newer = "whsec_b2xkZXItc2VjcmV0LTAxMjM0NTY3ODk=", "a raw secret"
	body := []byte("body")
	both, err := Sign("evt_1", at, body, newer, older)
	if err != nil {
		t.Fatal(err)
	}
	one, err := Sign("evt_1", at, body, older)
	if err != nil {
		t.Fatal(err)
	}
	if first, second, _ := strings.Cut(both, " "); second != one || first == one {
		t.Errorf("Sign with two secrets = %q, want the newer one's, a space and %q", both, one)
	}
	header := signedHeader("evt_1", strconv.FormatInt(at.Unix(), 10), both)
	for _, secrets := range [][]string{{older}, {newer}, {older, newer}, {"another", newer}} {
		if err := Verify(header, body, at, secrets...); err != nil {
			t.Errorf("a receiver with %q: %v", secrets, err)
		}
	}
	if err := Verify(header, body, at, "another"); !errors.Is(err, ErrSignature) {
		t.Errorf("a receiver with another secret: %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	for _, tt := range []struct{ name, id, secret string }{
		{"empty id", "", vectorSecret},
		{"id with the separator", "evt.1", vectorSecret},
		{"id with a line break", "evt\r\nX: y", vectorSecret},
		{"id with a space", "evt 1", vectorSecret},
		{"id that is not ASCII", "événement", vectorSecret},
		{"id too long", strings.Repeat("a", 257), vectorSecret},
		{"empty secret", "evt_1", ""},
		{"nothing after whsec_", "evt_1", "whsec_"},
		{"no base64 after whsec_", "evt_1", "whsec_s3cr3t!"},
	} {
		got, err := Sign(tt.id, at, nil, tt.secret)
		if err == nil || got != "" {
			t.Errorf("%s: %q, %v, want an error", tt.name, got, err)
			continue
		}
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the error tells the secret: %v", tt.name, err)
		}
	}
}

func TestVerify(t *testing.T) {
	const seconds = "1614265330"
	const other = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	malformed := errors.New("malformed")
	for _, tt := range []struct {
		name   string
		header http.Header
		body   string
		after  time.Duration
		want   error
	}{
		{"right", signedHeader(vectorID, seconds, vectorSigned), vectorBody, 0, nil},
		{"right, among others", signedHeader(vectorID, seconds, other+" v2,x v1a,y "+vectorSigned+" "+other), vectorBody, 0, nil},
		{"right, the clock 5 minutes ahead", signedHeader(vectorID, seconds, vectorSigned), vectorBody, Tolerance, nil},
		{"right, the clock 5 minutes behind", signedHeader(vectorID, seconds, vectorSigned), vectorBody, -Tolerance, nil},
		{"too old", signedHeader(vectorID, seconds, vectorSigned), vectorBody, Tolerance + time.Second, ErrTimestamp},
		{"too new", signedHeader(vectorID, seconds, vectorSigned), vectorBody, -Tolerance - time.Second, ErrTimestamp},
		{"other body", signedHeader(vectorID, seconds, vectorSigned), vectorBody + " ", 0, ErrSignature},
		{"other id", signedHeader("msg_2", seconds, vectorSigned), vectorBody, 0, ErrSignature},
		{"other timestamp", signedHeader(vectorID, "1614265331", vectorSigned), vectorBody, 0, ErrSignature},
		{"other signature", signedHeader(vectorID, seconds, other), vectorBody, 0, ErrSignature},
		{"no version", signedHeader(vectorID, seconds, strings.TrimPrefix(vectorSigned, "v1,")), vectorBody, 0, ErrSignature},
		{"asymmetric version", signedHeader(vectorID, seconds, "v1a,"+strings.TrimPrefix(vectorSigned, "v1,")), vectorBody, 0, ErrSignature},
		{"cut short", signedHeader(vectorID, seconds, vectorSigned[:len(vectorSigned)-4]), vectorBody, 0, ErrSignature},
		{"empty signature", signedHeader(vectorID, seconds, "v1,"), vectorBody, 0, ErrSignature},
		{"not base64", signedHeader(vectorID, seconds, "v1,"+strings.Repeat("!", 44)), vectorBody, 0, ErrSignature},
		// The last character before the padding has two idle bits: another letter, the same bytes.
		{"base64 not canonical", signedHeader(vectorID, seconds, strings.TrimSuffix(vectorSigned, "E=")+"F="), vectorBody, 0, ErrSignature},
		{"a thousand wrong ones first", signedHeader(vectorID, seconds, strings.Repeat(other+" ", 1000)+vectorSigned), vectorBody, 0, ErrSignature},
		{"no id", signedHeader("", seconds, vectorSigned), vectorBody, 0, ErrUnsigned},
		{"no timestamp", signedHeader(vectorID, "", vectorSigned), vectorBody, 0, ErrUnsigned},
		{"no signature", signedHeader(vectorID, seconds, ""), vectorBody, 0, ErrUnsigned},
		{"no headers", nil, vectorBody, 0, ErrUnsigned},
		{"timestamp is no number", signedHeader(vectorID, "now", vectorSigned), vectorBody, 0, ErrTimestamp},
		{"timestamp with a sign", signedHeader(vectorID, "+"+seconds, vectorSigned), vectorBody, 0, ErrTimestamp},
		{"timestamp with a zero before", signedHeader(vectorID, "0"+seconds, vectorSigned), vectorBody, 0, ErrTimestamp},
		{"timestamp with a fraction", signedHeader(vectorID, seconds+".5", vectorSigned), vectorBody, 0, ErrTimestamp},
		{"timestamp at the end of int64", signedHeader(vectorID, "9223372036854775807", vectorSigned), vectorBody, 0, ErrTimestamp},
		{"timestamp at the start of int64", signedHeader(vectorID, "-9223372036854775808", vectorSigned), vectorBody, 0, ErrTimestamp},
		{"timestamp beyond int64", signedHeader(vectorID, "99999999999999999999", vectorSigned), vectorBody, 0, ErrTimestamp},
		{"id with the separator", signedHeader("msg.1", seconds, vectorSigned), vectorBody, 0, malformed},
	} {
		err := Verify(tt.header, []byte(tt.body), vectorTime.Add(tt.after), vectorSecret)
		if tt.want == malformed && err != nil && !errors.Is(err, ErrSignature) {
			continue
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestVerifyWithoutSecretsPassesNothing(t *testing.T) {
	header := signedHeader(vectorID, "1614265330", vectorSigned)
	if err := Verify(header, []byte(vectorBody), vectorTime); !errors.Is(err, ErrSignature) {
		t.Errorf("no secret: %v", err)
	}
	if err := Verify(header, []byte(vectorBody), vectorTime, ""); err == nil {
		t.Error("an empty secret verified a call")
	}
}

// No header verifies but one that holds the signature itself.
func FuzzVerify(f *testing.F) {
	f.Add(vectorSigned)
	f.Add("v1," + strings.Repeat("A", 43) + "= " + vectorSigned)
	f.Add("v1,  v1a,AAAA v2")
	f.Fuzz(func(t *testing.T, list string) {
		if macs := parseSignatures(list); len(macs) > signaturesLimit {
			t.Fatalf("%d signatures were read", len(macs))
		}
		err := Verify(signedHeader(vectorID, "1614265330", list), []byte(vectorBody), vectorTime, vectorSecret)
		if err == nil && !strings.Contains(list, vectorSigned) {
			t.Fatalf("%q was accepted", list)
		}
	})
}
