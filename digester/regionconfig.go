package main

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// RegionConfig is a region in which the edge runs and has a queue.
type RegionConfig struct {
	Name   string // as AWS names it
	Queue  string // address of its SQS queue
	Bucket string // that the keys are published in; empty: they are not
}

var regionOK = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)

// bucketOK is what S3 takes as a bucket's name, near enough.
var bucketOK = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// eachRegion visits the parts of REGION=VALUE,REGION=VALUE.
func eachRegion(list string, visit func(region, value string) error) error {
	seen := make(map[string]bool)
	for _, part := range strings.Split(list, ",") {
		region, value, found := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !found || value == "":
			return errors.New("want REGION=VALUE, more of them with a comma between, for example eu-central-1=…")
		case !regionOK.MatchString(region):
			return fmt.Errorf("%q is no region; they look like eu-central-1", region)
		case seen[region]:
			return fmt.Errorf("region %s is there twice", region)
		}
		seen[region] = true
		if err := visit(region, value); err != nil {
			return err
		}
	}
	return nil
}

// parseQueues reads SUNDEW_QUEUES.
func parseQueues(list string) (regions []RegionConfig, err error) {
	err = eachRegion(list, func(region, address string) error {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Count(strings.Trim(u.Path, "/"), "/") < 1 {
			return fmt.Errorf("want the address of a queue for %s, for example https://sqs.%s.amazonaws.com/123456789012/sundew", region, region)
		}
		regions = append(regions, RegionConfig{Name: region, Queue: address})
		return nil
	})
	return regions, err
}

// addBuckets reads SUNDEW_BUCKETS into regions.
func addBuckets(regions []RegionConfig, list string) error {
	return eachRegion(list, func(region, bucket string) error {
		i := slices.IndexFunc(regions, func(r RegionConfig) bool { return r.Name == region })
		switch {
		case i < 0:
			return fmt.Errorf("SUNDEW_QUEUES has no queue for region %s", region)
		case !bucketOK.MatchString(bucket):
			return fmt.Errorf("%q is no name of a bucket", bucket)
		}
		regions[i].Bucket = bucket
		return nil
	})
}
