package artifact

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
)

// DebugFile is what a debug file says that it is.
type DebugFile struct {
	Symbols string // as tools call the kind, e.g. "elf"; "unknown"
	CPU     string // e.g. "x86_64"; "any" where none matters
	DebugID string // clean; empty: it names none that is read here
}

// debugHead is how much of a debug file ReadDebugFile wants.
const debugHead = 64

// ReadDebugFile tells what a debug file is from its beginning and its name. What is in
// it nobody reads yet.
func ReadDebugFile(name string, head []byte) DebugFile {
	head = head[:min(len(head), debugHead)]
	starts := func(s string) bool { return bytes.HasPrefix(head, []byte(s)) }
	switch {
	case starts("\x7fELF") && len(head) >= 20:
		return DebugFile{Symbols: "elf", CPU: elfCPU(head)}
	case starts("\xcf\xfa\xed\xfe") || starts("\xce\xfa\xed\xfe"):
		return DebugFile{Symbols: "macho", CPU: machoCPU(head)}
	case starts("\xca\xfe\xba\xbe"):
		return DebugFile{Symbols: "macho", CPU: "any"}
	case starts("MZ"):
		return DebugFile{Symbols: "pe", CPU: "any"}
	case starts("Microsoft C/C++ MSF 7.00"):
		return DebugFile{Symbols: "pdb", CPU: "any"}
	case starts("BSJB"):
		return DebugFile{Symbols: "portablepdb", CPU: "any"}
	case starts("MODULE "):
		return DebugFile{Symbols: "breakpad", CPU: "any"}
	case starts("\x00asm"):
		return DebugFile{Symbols: "wasm", CPU: "wasm32"}
	case starts(magic), starts("PK\x03\x04"):
		return DebugFile{Symbols: "sourcebundle", CPU: "any"}
	case starts("BC\xc0\xde"):
		return DebugFile{Symbols: "bcsymbolmap", CPU: "any"}
	}
	if base := path.Base(name); strings.HasPrefix(strings.TrimPrefix(name, "/"), "proguard/") && strings.HasSuffix(base, ".txt") {
		return DebugFile{Symbols: "proguard", CPU: "any", DebugID: CleanDebugID(strings.TrimSuffix(base, ".txt"))}
	}
	return DebugFile{Symbols: "unknown", CPU: "any"}
}

func elfCPU(head []byte) string {
	order := binary.ByteOrder(binary.LittleEndian)
	if head[5] == 2 {
		order = binary.BigEndian
	}
	switch order.Uint16(head[18:]) {
	case 3:
		return "x86"
	case 8:
		return "mips"
	case 20:
		return "ppc"
	case 21:
		return "ppc64"
	case 40:
		return "arm"
	case 62:
		return "x86_64"
	case 183:
		return "arm64"
	}
	return "unknown"
}

func machoCPU(head []byte) string {
	if len(head) < 8 {
		return "unknown"
	}
	switch binary.LittleEndian.Uint32(head[4:]) {
	case 7:
		return "x86"
	case 7 | 1<<24:
		return "x86_64"
	case 12:
		return "arm"
	case 12 | 1<<24:
		return "arm64"
	}
	return "unknown"
}
