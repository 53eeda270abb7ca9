package jsfunc_test

import (
	"strings"
	"testing"

	"sundew/digester/sourcemap/jsfunc"
)

// test is a source in which "@@name@@" stands where the function of that name is
// expected around it.
type test struct{ file, source string }

func TestScripts(t *testing.T) {
	testAt(t, map[string]test{
		"declarations": {"a.js", `
			@@@@; function total(cart) { @@total@@; return cart.items.map(function (i) { @@total@@ }) }
			async function* walk({ a, b = 1 }, ...rest) { @@walk@@ }
			export default function () { @@@@ }
			export function last(a = @@last@@ 1) { if (a) { @@last@@ } for (;;) { @@last@@ } }
			@@@@;`},
		"assigned": {"a.js", `
			const one = () => { @@one@@ }, two = function () { @@two@@ };
			let three = async x => @@three@@ x + 1;
			exports.four = (a, b) => { @@four@@ };
			Cart.prototype.five = function () { @@five@@ }
			module.exports = function () { @@@@ }
			six ||= 1; window.seven = flag ? () => @@seven@@ 1 : () => { @@seven@@ }
			const eight = a => b => c => @@eight@@ c
			const nine = memo(forwardRef((props) => { @@nine@@ }))
			function outer() { const total = items.map((x) => { @@outer@@ }); const inner = () => @@inner@@ 1; const held = ((x) => { @@held@@ }) as Held; @@outer@@ }
			@@@@`},
		"objects": {"a.js", `
			const api = {
				load() { @@load@@ }, async save(x) { @@save@@ }, get size() { @@size@@; return 1 },
				'lazy-chunk': () => { @@lazy-chunk@@ }, 'a b'() { @@a b@@ }, [key]() { @@[key]@@ }, *gen() { @@gen@@ },
				plain: function () { @@plain@@ }, value: call(() => @@value@@ 1), nested: { deep() { @@deep@@ } },
				if: (x) => @@if@@ x, delete(id) { @@delete@@ }, cond: a ? b : () => { @@cond@@ },
			}; @@@@`},
		"literals": {"a.js", "#!/usr/bin/env node\n" + `
			const re = /[/}"'{]\/{/g, s = "}", t = 'it\'s }', u = ` + "`} ${ { a: `${ () => { @@@@ } }` }.a } {`" + `;
			function a() { // }
				/* } */ if (x) /}/.test(y); const half = n / 2 / (3) / 4; @@a@@
				switch (x) { case 1: { @@a@@ break } case ` + "`}`" + `: default: { @@a@@ } }
			}
			function labels() { a: { if (x) { @@labels@@ break a } } b: for (;;) { @@labels@@ } c: if (x) { @@labels@@ } }
			@@@@`},
		"lines": {"a.js", `
			const a = () => one()
			const b = (x) => two()
				.then(() => @@b@@ 1)
				+ @@b@@ 1
			c = 1
			@@@@ call()
			class X {
				a = 1
				b() { @@X.b@@ }
				*c() { @@X.c@@ }
				static d = () => 1
				['e']() { @@X.['e']@@ }
			}`},
		"component": {"Cart.vue?vue&type=script", `<template><p v-if="a < b">It's {{ a }</p></template>
			<script setup lang="ts">function load(): void { @@load@@ }</script>
			<style>p { color: red }</style>`},
		"broken": {"a.js", `
			function lost() { call( } @@@@
			function kept() { @@kept@@ }`},
	})
}

func TestTypedSources(t *testing.T) {
	testAt(t, map[string]test{
		"classes": {"a.ts", `
			abstract class Ledger<T extends { id: string }> extends Base<T> implements Book {
				private rows = new Map<string, number>();
				readonly names: string[]
				cb: () => void
				#secret = 1
				static shared: Map<string, () => void>
				constructor(private readonly x: string, y?: number) { super(); @@new Ledger@@ }
				add(cart: Cart): void { @@Ledger.add@@ if (a) { @@Ledger.add@@ } }
				get total(): { a: number } { @@Ledger.total@@ return { a: 1 } }
				static async of<K, V = {}>(items: Array<K>): Promise<Map<K, V>> { @@Ledger.of@@ }
				#hidden(a: () => void): () => { a: 1 } { @@Ledger.#hidden@@ }
				abstract nothing(): void
				handle = (e: Event): void => { @@Ledger.handle@@ }
				onChange: (e: Event) => void = (e) => @@Ledger.onChange@@ e
				@Input() catch(e) { @@Ledger.catch@@ }
			}
			const Named = class { run() { @@Named.run@@ } }
			export default class { run() { @@run@@ } }
			@@@@`},
		"types": {"a.ts", `
			interface Shape { area(): number; cb: (a: string) => void }
			type F = (a: string) => Promise<void>
			export function f(a: string): string
			export function f(a: number): { x: number } | null
			export function f(a: any, b = <T>(x: T) => x): asserts a is string { @@f@@ }
			const g = <T extends object>(x: T): x is Foo => { @@g@@ return !!x }
			function isCart(a: unknown): a is { items: string[] } { @@isCart@@ }
			const h: (e: Event) => void = (e) => { @@h@@ }
			declare module 'x' { export const y: string }
			const typed = (<any>window).call(() => { @@typed@@ })
			enum Color { Red = 'red' }
			export const k = async (cart: Cart): Promise<Array<{ a: 1 }>> => new Promise((r) => @@k@@ r)
			@@@@`},
		"elements": {"a.tsx", `
			const Row = <T,>({ item }: { item: T }) => <li onClick={() => { @@onClick@@ }}>Don't {item} break it's { @@Row@@ ''}</li>;
			export function App() {
				const [a, setA] = React.useState<string>('');
				return (<>
					<h1 className="it's">Shop's {a > 1 ? <b>one</b> : <i/>} </h1>
					<Foo<string> bar={<Bar />} render={(x) => <div {...x}>{@@render@@ x}</div>} />
					{ @@App@@ items.map((i) => <Row key={i} onSelect={function () { @@onSelect@@ }} />) }
				</>);
			}
			if (a < b && c > d) { @@@@ }
			function after() { @@after@@ return a</x>/.test(b) }`},
	})
}

func testAt(t *testing.T, tests map[string]test) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			source, offsets, names := marks(tt.source)
			functions := jsfunc.Scan([]byte(source), jsfunc.SyntaxOf(tt.file))
			for i, at := range offsets {
				if got := functions.At(at); got != names[i] {
					t.Errorf("at %q: %q, want %q", source[max(0, at-30):at], got, names[i])
				}
			}
		})
	}
}

// marks cuts the marks out of a source.
func marks(text string) (source string, offsets []int, names []string) {
	parts := strings.Split(text, "@@")
	var b strings.Builder
	for i, p := range parts {
		if i%2 == 0 {
			b.WriteString(p)
			continue
		}
		offsets, names = append(offsets, b.Len()), append(names, p)
	}
	return b.String(), offsets, names
}
