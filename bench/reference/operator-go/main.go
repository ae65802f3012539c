// A minimal operator for TrainingRuns on controller-runtime, to be measured beside the controller: for every new run it makes the same Job by
// server-side apply, writes the same status and tells the same events. It has no database, no stages after the first, and no HTTP API.
package main

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// Work is what is written for one run, with {{name}}, {{namespace}}, {{uid}}, {{generation}} and {{now}} where runs differ.
type Work struct {
	Job    json.RawMessage `json:"job"`
	Status json.RawMessage `json:"status"`
	Events []struct {
		Type    string `json:"type"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
	} `json:"events"`
}

// Fill gives a piece of the work for this run.
func Fill(template json.RawMessage, run *TrainingRun) []byte {
	return []byte(strings.NewReplacer(
		"{{name}}", run.Name,
		"{{namespace}}", run.Namespace,
		"{{uid}}", string(run.UID),
		"{{now}}", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
	).Replace(string(template)))
}

func main() {
	namespace := flag.String("namespace", "default", "the namespace that is worked in")
	file := flag.String("work", "work.json", "what is written for a run")
	workers := flag.Int("workers", 8, "runs that are worked on at the same time")
	flag.Parse()
	ctrl.SetLogger(zap.New())

	text, err := os.ReadFile(*file)
	utilruntime.Must(err)
	work := Work{}
	utilruntime.Must(json.Unmarshal(text, &work))

	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(AddToScheme(scheme))
	manager, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cache.Options{DefaultNamespaces: map[string]cache.Config{*namespace: {}}},
		Metrics:                       metricsserver.Options{BindAddress: "0"},
		LeaderElection:                true,
		LeaderElectionID:              "operator-go",
		LeaderElectionNamespace:       corev1.NamespaceDefault,
		LeaderElectionReleaseOnCancel: true,
	})
	utilruntime.Must(err)
	utilruntime.Must((&Reconciler{
		Client: manager.GetClient(),
		Events: manager.GetEventRecorderFor(FieldManager), //nolint:staticcheck // The same kind of events as the controller's.
		Work:   work,
	}).SetupWithManager(manager, *workers))
	utilruntime.Must(manager.Start(ctrl.SetupSignalHandler()))
}
