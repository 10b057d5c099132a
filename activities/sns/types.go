package sns

import (
	"time"

	"lifeline/internal/plan"
)

// Notification goes to every topic side by side.
type Notification struct {
	Topics  map[plan.Region]string `json:"topics"` // topic ARN by Region
	Subject string                 `json:"subject"`
	Message string                 `json:"message"`
	// Token lets receivers drop repetitions; SNS itself delivers at least once.
	Token   string        `json:"token,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Delivered says who took the message.
type Delivered struct {
	Regions []string          `json:"regions"`
	Refused map[string]string `json:"refused,omitempty"` // Region to reason
}
