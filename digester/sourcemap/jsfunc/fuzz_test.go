package jsfunc_test

import (
	"testing"

	"sundew/digester/sourcemap/jsfunc"
)

func FuzzScan(f *testing.F) {
	f.Add("function a() { return `${b}` / /x}/ }", uint8(0))
	f.Add("class A<T> { #b?(c: () => void): { d: 1 } { } static e = <F,>(g) => h ? i : j }", uint8(1))
	f.Add("<script>a = () => {</script><script lang='ts'>const b = async (c): Promise<d> => e</script>", uint8(2))
	f.Add("a = <b c={() => <></>} d='}'>{e}<f/></b>", uint8(0))
	f.Fuzz(func(t *testing.T, source string, syntax uint8) {
		functions := jsfunc.Scan([]byte(source), jsfunc.Syntax(syntax%3))
		for i := -1; i <= len(source); i++ {
			functions.At(i)
		}
		if functions.Size() > 400*len(source) {
			t.Errorf("%d bytes of source take %d", len(source), functions.Size())
		}
	})
}
