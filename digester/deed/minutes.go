package deed

import (
	"fmt"
	"time"
)

// Minutes is a time that programs ask for as a number of minutes; *Unfit, which names
// what it is for, unless it is from one minute to the most.
func Minutes(what string, n int64, most time.Duration) (time.Duration, error) {
	if n < 1 || n > int64(most/time.Minute) {
		return 0, Cannot(fmt.Sprintf("%s is a number of minutes from 1 to %d.", what, most/time.Minute))
	}
	return time.Duration(n) * time.Minute, nil
}
