package backup

import "lifeline/local/aws/world"

// Namespace is where the metrics of AWS Backup are.
const Namespace = "AWS/Backup"

// emit sends an event once the lock is gone; b.mu is held.
func (b *Backup) emit(region, detailType string, resources []string, detail map[string]any) {
	if b.options.Events == nil {
		return
	}
	b.outbox = append(b.outbox, func() {
		b.options.Events.Emit(region, "aws.backup", detailType, resources, detail)
	})
}

// happened tells the world's subscribers of a job's new state; b.mu is held.
func (b *Backup) happened(kind, region, id, state string) {
	b.outbox = append(b.outbox, func() {
		b.world.Publish(world.Event{Service: "backup", Kind: kind, Region: region, ID: id, Detail: map[string]string{"state": state}})
	})
}

// publish counts one job or point, by vault, by type and by both, as CloudWatch
// shows it; b.mu is held. Nothing is ever published for "none".
func (b *Backup) publish(region, metric, vault, kind string) {
	if b.options.Metrics == nil {
		return
	}
	b.outbox = append(b.outbox, func() {
		for _, dimensions := range []map[string]string{
			{"BackupVaultName": vault},
			{"ResourceType": kind},
			{"BackupVaultName": vault, "ResourceType": kind},
		} {
			b.options.Metrics.Publish(region, Namespace, metric, dimensions, 1)
		}
	})
}

// title writes a state as the metrics' names do: COMPLETED is Completed.
func title(state string) string {
	out := []byte(state)
	for i := 1; i < len(out); i++ {
		out[i] += 'a' - 'A'
	}
	return string(out)
}
