package main

import (
	"context"
	"encoding/json"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
)

// FieldManager is the name under which everything is applied.
const FieldManager = "operator-go"

// Reconciler drives runs to their first Job.
type Reconciler struct {
	client.Client
	Events record.EventRecorder
	Work   Work
}

// SetupWithManager follows the runs and the Jobs that they own.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager, workers int) error {
	return ctrl.NewControllerManagedBy(manager).
		For(&TrainingRun{}).
		Owns(&batchv1.Job{}).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// Reconcile makes what is missing of a run's Job and status.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	run := &TrainingRun{}
	if err := r.Get(ctx, request.NamespacedName, run); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if run.DeletionTimestamp != nil {
		return ctrl.Result{}, nil
	}
	if err := r.ensureJob(ctx, run); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.writeStatus(ctx, run)
}

func (r *Reconciler) ensureJob(ctx context.Context, run *TrainingRun) error {
	job := &unstructured.Unstructured{}
	if err := json.Unmarshal(Fill(r.Work.Job, run), &job.Object); err != nil {
		return err
	}
	err := r.Get(ctx, client.ObjectKeyFromObject(job), &batchv1.Job{})
	if !apierrors.IsNotFound(err) {
		return err
	}
	if err := r.Apply(ctx, client.ApplyConfigurationFromUnstructured(job), client.FieldOwner(FieldManager)); err != nil {
		return err
	}
	for _, event := range r.Work.Events {
		r.Events.Event(run, event.Type, event.Reason, event.Message)
	}
	return nil
}

func (r *Reconciler) writeStatus(ctx context.Context, run *TrainingRun) error {
	if run.Status["observedGeneration"] == run.Generation {
		return nil
	}
	if err := json.Unmarshal(Fill(r.Work.Status, run), &run.Status); err != nil {
		return err
	}
	return r.Status().Update(ctx, run)
}
