package server

import "runtime/debug"

// release is the version being worked towards; the changelog has its entry.
const release = "0.1.0"

// Version is the release, with the commit it was built from when that is known.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}
