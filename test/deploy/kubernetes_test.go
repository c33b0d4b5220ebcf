package deploy

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// overlays are what is applied to a cluster, of each environment.
var overlays = []string{"staging", "production"}

const kubernetesFolder = "../../deploy/k8s"

// object is a manifest, as far as every kind has the same.
type object struct {
	Kind     string
	Metadata struct {
		Name, Namespace     string
		Labels, Annotations map[string]string
	}
	yaml yaml.Node
}

// as reads the rest of a manifest into a shape.
func as[T any](t *testing.T, o object) (shape T) {
	t.Helper()
	if err := o.yaml.Decode(&shape); err != nil {
		t.Fatalf("reading %s %s: %v", o.Kind, o.Metadata.Name, err)
	}
	return shape
}

// manifests are the objects that a kustomization makes, by kind and name.
type manifests map[string]object

// of returns the object of this kind and name, and fails the test without it.
func (m manifests) of(t *testing.T, kindAndName string) object {
	t.Helper()
	o, ok := m[kindAndName]
	if !ok {
		t.Fatalf("there is no %s, but %q", kindAndName, slices.Sorted(maps.Keys(m)))
	}
	return o
}

// render builds a kustomization, as kubectl does. The hash is taken off the names of
// ConfigMaps.
func render(t *testing.T, folder string) manifests {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatalf("building %s: %v", folder, err)
	}
	text, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	list := manifests{}
	for documents := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o object
		err := documents.Decode(&o.yaml)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err == nil {
			err = o.yaml.Decode(&o)
		}
		if err != nil {
			t.Fatal(err)
		}
		if o.Kind == "ConfigMap" {
			o.Metadata.Name, _, _ = cutLast(o.Metadata.Name, "-")
		}
		name := o.Kind + " " + o.Metadata.Name
		if _, twice := list[name]; twice {
			t.Fatalf("%s is there twice", name)
		}
		list[name] = o
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	at := strings.LastIndex(s, separator)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(separator):], true
}

// pod is a pod's specification, as far as the tests look.
type pod struct {
	ServiceAccountName            string `yaml:"serviceAccountName"`
	AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
	RestartPolicy                 string `yaml:"restartPolicy"`
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      uint32                `yaml:"runAsUser"`
		RunAsGroup     uint32                `yaml:"runAsGroup"`
		FSGroup        uint32                `yaml:"fsGroup"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	InitContainers            []container `yaml:"initContainers"`
	Containers                []container
	TopologySpreadConstraints []struct {
		TopologyKey string `yaml:"topologyKey"`
	} `yaml:"topologySpreadConstraints"`
	Volumes []struct {
		Name   string
		Secret *struct {
			SecretName  string `yaml:"secretName"`
			DefaultMode uint32 `yaml:"defaultMode"`
		}
	}
}

// container is one of a pod's.
type container struct {
	Name, Image   string
	Command, Args []string
	Env           []struct{ Name, Value string }
	EnvFrom       []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Resources      struct{ Requests, Limits map[string]string }
	StartupProbe   probe `yaml:"startupProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	Lifecycle      struct {
		PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
	}
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

// probe asks a container over HTTP.
type probe struct {
	HTTPGet          struct{ Path, Port string } `yaml:"httpGet"`
	PeriodSeconds    int                         `yaml:"periodSeconds"`
	TimeoutSeconds   int                         `yaml:"timeoutSeconds"`
	FailureThreshold int                         `yaml:"failureThreshold"`
}
