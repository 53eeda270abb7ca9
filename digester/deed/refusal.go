package deed

import "errors"

// ErrForbidden is returned to those whose role does not include what they ask for.
var ErrForbidden = errors.New("the role does not include it")
