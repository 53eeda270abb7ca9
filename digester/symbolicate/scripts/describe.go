package scripts

import (
	"fmt"
	"strings"

	"sundew/digester/store"
	"sundew/digester/symbolicate"
)

// describe says what was found of a script in the words of those who explain it.
func describe(found store.Script) symbolicate.Script {
	s := symbolicate.Script{MapFile: found.MapURL}
	if b := found.Bundle; b.ID != 0 && (found.Minified != nil || found.Map != nil) {
		s.Bundle = symbolicate.Bundle{ID: b.ID, Uploaded: b.SettledAt, Release: b.Release, Dist: b.Dist}
	}
	if found.Minified != nil {
		s.File = found.Minified.Path
	}
	if found.Map != nil {
		s.MapFile = found.Map.Path
	}
	switch found.Trouble {
	case store.ScriptFound:
	case store.ScriptNoDist:
		s.Trouble, s.Detail = symbolicate.OtherDist, listed("there is", quoted(found.Dists))
	case store.ScriptNoURL:
		s.Trouble, s.Detail = symbolicate.NoFile, listed("it has", found.Near)
	case store.ScriptNoMapNamed:
		s.Trouble = symbolicate.NoMapNamed
	case store.ScriptNoMap:
		s.Trouble = symbolicate.NoMap
	case store.ScriptStillComing:
		s.Trouble, s.Detail = symbolicate.NoBundle, "an upload is being unpacked; look again in a moment"
	case store.ScriptUploadBroken:
		s.Trouble, s.Detail = symbolicate.NoBundle, "the newest upload could not be unpacked: "+found.Bundle.Detail
	case store.ScriptNoBundles:
		s.Trouble, s.Detail = symbolicate.NoBundle, "nothing was uploaded to this project yet"
	case store.ScriptNoRelease:
		s.Trouble = symbolicate.NoBundle
		if at := found.Elsewhere; at.URL != "" {
			s.Detail = fmt.Sprintf("release %s has %s: does the SDK send the release that was uploaded?", at.Release, at.URL)
		}
	default:
		s.Trouble = symbolicate.NoBundle
	}
	return s
}

// listed says what there is instead, in a sentence; empty if there is nothing.
func listed(begin string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return begin + " " + strings.Join(names, ", ")
}

func quoted(texts []string) []string {
	var all []string
	for _, t := range texts {
		all = append(all, `"`+t+`"`)
	}
	return all
}
