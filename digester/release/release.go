// Package release says which release of the source a program was built from.
//
// It exists so that every program that shows pages has the same words for it at
// their foot.
package release

import "runtime/debug"

// Version returns the module's version, or the commit that the program was built
// from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value
		}
	}
	return info.Main.Version
}
