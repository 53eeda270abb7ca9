package event

// The bounds of what an event may bring. Texts are counted in characters, JSON
// in bytes. What is over a bound is cut, dropped or counted, never refused: the
// size and the depth of a payload as a whole are the edge's business.
const (
	maxID      = 128  // ids of events, users, threads
	maxName    = 200  // names of things: tags, releases, transactions, users
	maxShort   = 64   // environment, dist, platform
	maxType    = 256  // exception types; Java writes long ones
	maxSymbol  = 512  // functions, modules, file names
	maxURL     = 2048 // addresses, header, cookie and parameter values
	maxText    = 8192 // messages and exception values
	maxLine    = 512  // a line of source code; a minified one is megabytes
	maxKey     = 200  // keys of fields and pairs
	maxJSON    = 16 << 10
	maxBody    = 64 << 10 // JSON of a request's body
	maxVarJSON = 1 << 10  // JSON of a local variable

	firstExceptions, lastExceptions = 16, 16
	firstFrames, lastFrames         = 100, 100
	maxBreadcrumbs                  = 100
	maxTags                         = 100
	maxThreads                      = 128
	maxImages                       = 256
	maxModules                      = 1024
	maxContexts                     = 64
	maxFields                       = 128 // of a context, of extra, of a breadcrumb, of a user
	maxVars                         = 50
	maxContextLines                 = 20
	maxPairs                        = 128 // headers, cookies, query parameters, environment
	maxParams                       = 32
	maxFingerprint                  = 32
	maxPart                         = 1024 // of a fingerprint; long ones are made by programs
)
