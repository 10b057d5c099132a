package estate

import (
	"context"

	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// Batch is items of one type and Region, references resolved.
type Batch struct {
	Items []runbook.Item `json:"items"`
	// Repair false leaves what exists as it is and reports the difference.
	Repair bool `json:"repair"`
	// Ballot and Starter tell by whom it was allowed to make what nobody can take
	// back; nil where nothing is of that kind.
	Ballot  *runbook.Ballot `json:"ballot,omitempty"`
	Starter string          `json:"starter,omitempty"`
}

// Results are in the order of the batch.
type Results struct {
	Results []runbook.ItemResult `json:"results"`
}

// Steps are the activities of this package.
type Steps struct {
	Book *keep.Book
	// Wanted refuses a batch that is not of the worker's own plan; nil lets
	// everything pass.
	Wanted func(context.Context, []runbook.Item) error
	// Allowed refuses to build what nobody can take back and no quorum has allowed;
	// nil lets everything pass.
	Allowed func(context.Context, Batch) error
}

// New makes the steps on every type that the keepers know.
func New(keepers ...keep.Keeper) (*Steps, error) {
	book, err := keep.NewBook(keepers...)
	return &Steps{Book: book}, err
}

// SurveyItems reads and judges a batch. Nothing is changed.
func (s *Steps) SurveyItems(ctx context.Context, in Batch) (Results, error) {
	if err := s.admit(ctx, in); err != nil {
		return Results{}, err
	}
	results, err := s.Book.Survey(ctx, in.Items, in.Repair)
	return Results{results}, err
}

// ConvergeItems brings a batch to what is wanted.
func (s *Steps) ConvergeItems(ctx context.Context, in Batch) (Results, error) {
	if err := s.admit(ctx, in); err != nil {
		return Results{}, err
	}
	if s.Allowed != nil {
		if err := s.Allowed(ctx, in); err != nil {
			return Results{}, err
		}
	}
	results, err := s.Book.Converge(ctx, in.Items, in.Repair)
	return Results{results}, err
}

func (s *Steps) admit(ctx context.Context, in Batch) error {
	if s.Wanted == nil {
		return nil
	}
	return s.Wanted(ctx, in.Items)
}
