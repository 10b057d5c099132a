package report

import (
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes the document for machines; durations are nanoseconds, times RFC 3339.
func JSON(w io.Writer, d Document) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	return nil
}
