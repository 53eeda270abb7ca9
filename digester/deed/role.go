package deed

import (
	"errors"

	"sundew/digester/access"
)

// ErrYourself is returned where somebody would lock themselves out.
var ErrYourself = errors.New("nobody switches themselves off")

// Gives returns ErrForbidden unless somebody with a role may turn one into another:
// nobody gives, or takes, more than they have.
func Gives(by, from, to access.Role) error {
	if !by.Gives(from) || !by.Gives(to) {
		return ErrForbidden
	}
	return nil
}
