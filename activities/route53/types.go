package route53

import (
	"time"

	"lifeline/internal/plan"
)

// AnswersInput says which name is asked for, and which Region must be gone from
// the answers.
type AnswersInput struct {
	Traffic plan.Traffic `json:"traffic"`
	// Lost must answer for nobody any more. Empty: every location must be
	// answered by its own Region.
	Lost      plan.Region            `json:"lost,omitempty"`
	Endpoints map[plan.Region]string `json:"endpoints"` // each Region's own host name
	Timeout   time.Duration          `json:"timeout,omitempty"`
}

// Answers are the authoritative answers by location name.
type Answers struct {
	ByLocation map[string]Answer `json:"by_location"`
	// Silent are the name servers that did not answer. One that answers is enough.
	Silent []string `json:"silent,omitempty"`
}

// Answer is what clients of one location are told.
type Answer struct {
	Addresses []string `json:"addresses"`
	Region    string   `json:"region"` // empty when the addresses belong to no Region of the plan
	TTL       int      `json:"ttl"`    // seconds, the smallest of the chain
}
