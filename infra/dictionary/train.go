package main

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

const (
	// dictionaryID is in every body, so that no program reads one with another
	// dictionary. From 32768 on ids are free to use; up to 65535 they take two
	// bytes.
	dictionaryID = 40001

	maxContent = 64 << 10 // bytes; the recorded events fill less
	chunk      = 8        // bytes that are counted as one
	minSegment = 16       // chunks; shorter text is not worth its place
	maxSegment = 1024     // chunks
	minGroups  = 2        // what only one program's run has said is not learnt
)

// train makes a dictionary of the samples: the same samples make the same bytes.
// The text is chosen as the COVER algorithm does (Liao, Petri, Moffat, Wirth:
// Effective Construction of Relative Lempel-Ziv Dictionaries): segments whose
// chunks occur in many groups, each chunk counting once.
func train(samples []sample) ([]byte, error) {
	var plain [][]byte
	for _, s := range samples {
		plain = append(plain, s.plain)
	}
	dictionary, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: dictionaryID, Contents: plain, History: newCover(samples).choose(maxContent),
		Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedFastest,
	})
	if err != nil {
		return nil, fmt.Errorf("building the dictionary: %w", err)
	}
	return dictionary, nil
}

// cover is the text of all samples with what each place of it is worth.
type cover struct {
	text   []byte
	chunks []int32 // the number of the chunk that begins at a place; 0 where none may be learnt
	worth  []int32 // of a chunk: the groups that have it; 0 once it is chosen
}

func newCover(samples []sample) *cover {
	c := &cover{worth: []int32{0}}
	numbers := map[uint64]int32{}
	groups := map[string]int32{}
	counted := []int32{-1} // the last group that was counted for a chunk
	for _, s := range samples {
		group, known := groups[s.group]
		if !known {
			group = int32(len(groups))
			groups[s.group] = group
		}
		for i := range s.clean {
			number := int32(0)
			if i+chunk <= len(s.clean) && !slices.Contains(s.clean[i:i+chunk], removed) {
				key := binary.LittleEndian.Uint64(s.clean[i:])
				if number, known = numbers[key]; !known {
					number = int32(len(c.worth))
					numbers[key] = number
					c.worth, counted = append(c.worth, 0), append(counted, -1)
				}
				if counted[number] != group {
					counted[number] = group
					c.worth[number]++
				}
			}
			c.chunks = append(c.chunks, number)
		}
		c.text = append(c.text, s.clean...)
	}
	for i, number := range c.chunks {
		if c.worth[number] < minGroups {
			c.chunks[i] = 0
		}
	}
	return c
}

// choose returns at most size bytes, the most useful ones last, where they are
// the cheapest to refer to. It goes through the samples in equal stretches and
// takes the best segment of each, again and again.
func (c *cover) choose(size int) []byte {
	var segments [][]byte
	rounds := max(1, size/maxSegment)
	stretch := len(c.chunks)/rounds + 1
	for total, idle, at := 0, 0, 0; total < size && idle < rounds; at = (at + stretch) % (rounds * stretch) {
		from, to := c.best(at, min(at+stretch, len(c.chunks)))
		if idle++; from < to {
			idle = 0
		}
		for from < to && total < size {
			var segment []byte
			segment, from = c.take(from, to)
			segment = segment[:min(len(segment), size-total)]
			segments = append(segments, segment)
			total += len(segment)
		}
	}
	slices.Reverse(segments)
	return slices.Concat(segments...)
}

// best returns the segment between two places that is worth the most; an empty
// one if nothing there is worth anything.
func (c *cover) best(from, to int) (int, int) {
	inside := map[int32]int{}
	var sum, most int32
	bestFrom, bestTo := from, from
	for head, tail := from, from; head < to; head++ {
		number := c.chunks[head]
		if inside[number]++; inside[number] == 1 && number != 0 {
			sum += c.worth[number]
		}
		if head-tail == maxSegment {
			number := c.chunks[tail]
			if inside[number]--; inside[number] == 0 && number != 0 {
				sum -= c.worth[number]
			}
			tail++
		}
		if sum > most {
			most, bestFrom, bestTo = sum, tail, head+1
		}
	}
	return bestFrom, bestTo
}

// take returns the first text of a segment that may be learnt, without what is
// chosen already at its ends, and where to go on. All its chunks are then worth
// nothing. Text that is too short is nil.
func (c *cover) take(from, to int) (text []byte, next int) {
	for from < to && c.chunks[from] == 0 {
		from++
	}
	next = from
	for next < to && c.chunks[next] != 0 {
		next++
	}
	end := next
	for from < end && c.worth[c.chunks[from]] == 0 {
		from++
	}
	for from < end && c.worth[c.chunks[end-1]] == 0 {
		end--
	}
	for _, number := range c.chunks[from:end] {
		c.worth[number] = 0
	}
	if end-from < minSegment {
		return nil, next
	}
	return c.text[from : end-1+chunk], next
}
