package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tolmach/tolmach/internal/auth"
	"github.com/tolmach/tolmach/internal/chat"
	"github.com/tolmach/tolmach/internal/config"
	"github.com/tolmach/tolmach/internal/wire/inbound"
)

// serveHTTP serves handler on l until ctx ends, then lets running calls end
// within the timeout.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, c config.HTTP, log *slog.Logger) error {
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: c.HeaderTimeout, ReadTimeout: c.ReadTimeout, WriteTimeout: c.WriteTimeout, IdleTimeout: c.IdleTimeout,
		MaxHeaderBytes: int(c.MaxHeader), ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		log.Warn("http.cut", "error", "some calls did not end in time and were cut off")
		if err := srv.Close(); err != nil {
			return err
		}
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// securityHeaders are on every answer of the public server.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// local lets only calls from this machine through, and none that a proxy
// passed on.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		ip := net.ParseIP(host)
		if err != nil || ip == nil || !ip.IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// remote is the caller's address, as far as it can be believed.
func remote(c config.HTTP) func(*http.Request) string {
	trusted := config.Prefixes(c.TrustedProxies)
	return func(r *http.Request) string { return auth.RemoteAddr(r, trusted).String() }
}

// home answers on paths that are nobody's. The console is not in this build.
func home(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		inbound.Note(r.Context(), chat.Errorf(chat.CodeNotFound, "no dialect of this server has such a path"))
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	http.ServeContent(w, r, "", time.Time{}, homePage())
}
