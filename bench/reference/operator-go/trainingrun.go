package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var groupVersion = schema.GroupVersion{Group: "caricature.dev", Version: "v1alpha1"}

// TrainingRun is a run as this operator needs to know it.
type TrainingRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              map[string]any `json:"spec,omitempty"`
	Status            map[string]any `json:"status,omitempty"`
}

// TrainingRunList is a page of runs.
type TrainingRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TrainingRun `json:"items"`
}

// AddToScheme makes the kind known.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(groupVersion, &TrainingRun{}, &TrainingRunList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
	return nil
}

// DeepCopyObject gives a copy that shares nothing.
func (run *TrainingRun) DeepCopyObject() runtime.Object {
	return run.deepCopy()
}

// DeepCopyObject gives a copy that shares nothing.
func (list *TrainingRunList) DeepCopyObject() runtime.Object {
	items := make([]TrainingRun, len(list.Items))
	for i := range list.Items {
		items[i] = *list.Items[i].deepCopy()
	}
	return &TrainingRunList{TypeMeta: list.TypeMeta, ListMeta: *list.ListMeta.DeepCopy(), Items: items}
}

func (run *TrainingRun) deepCopy() *TrainingRun {
	return &TrainingRun{
		TypeMeta:   run.TypeMeta,
		ObjectMeta: *run.ObjectMeta.DeepCopy(),
		Spec:       runtime.DeepCopyJSON(run.Spec),
		Status:     runtime.DeepCopyJSON(run.Status),
	}
}
