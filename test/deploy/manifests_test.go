package deploy

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crownsafe/api/internal/config"
	"github.com/crownsafe/api/test/program"
)

// everyPod goes through the pods of an environment: those that serve, and the jobs'.
func everyPod(t *testing.T, overlay string) map[string]pod {
	t.Helper()
	type withPod struct {
		Spec struct{ Template struct{ Spec pod } }
	}
	built := render(t, kubernetesFolder+"/overlays/"+overlay)
	scheduled := func(name string) pod {
		return as[struct {
			Spec struct {
				JobTemplate withPod `yaml:"jobTemplate"`
			}
		}](t, built.of(t, "CronJob "+name)).Spec.JobTemplate.Spec.Template.Spec
	}
	job := render(t, kubernetesFolder+"/overlays/"+overlay+"/migration").of(t, "Job crownsafe-migrate")
	pods := map[string]pod{
		"api":     as[withPod](t, built.of(t, "Deployment crownsafe-api")).Spec.Template.Spec,
		"backup":  scheduled("crownsafe-backup"),
		"migrate": as[withPod](t, job).Spec.Template.Spec,
	}
	if overlay == "production" {
		pods["backup-incremental"] = scheduled("crownsafe-backup-incremental")
	}
	return pods
}

// TestPodsAreRestricted: nothing runs as root, writes to its own image or has more
// rights than it needs, and all of it is of one release.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		var releases []string
		for name, p := range everyPod(t, overlay) {
			of := overlay + "/" + name
			s := p.SecurityContext
			if !s.RunAsNonRoot || s.RunAsUser != imageUser || s.RunAsGroup != imageUser || s.FSGroup != imageUser || s.SeccompProfile.Type != "RuntimeDefault" {
				t.Errorf("%s runs as %+v", of, s)
			}
			if p.ServiceAccountName != "crownsafe" || p.AutomountServiceAccountToken == nil || *p.AutomountServiceAccountToken {
				t.Errorf("%s has a token for the cluster", of)
			}
			for _, v := range p.Volumes {
				if v.Secret == nil {
					continue
				}
				if v.Secret.DefaultMode != 0o440 {
					t.Errorf("%s: the files of %s have mode %o", of, v.Secret.SecretName, v.Secret.DefaultMode)
				}
				if v.Secret.SecretName != "crownsafe-secrets" && name != "backup" {
					t.Errorf("%s gets %s, which is the backups'", of, v.Secret.SecretName)
				}
			}
			for _, c := range slices.Concat(p.InitContainers, p.Containers) {
				of := of + "/" + c.Name
				if s := c.SecurityContext; s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
					t.Errorf("%s may %+v", of, s)
				}
				for _, resource := range []string{"cpu", "memory", "ephemeral-storage"} {
					if c.Resources.Requests[resource] == "" || c.Resources.Limits[resource] == "" {
						t.Errorf("%s has no bounds for its %s", of, resource)
					}
				}
				_, release, _ := cutLast(c.Image, ":")
				releases = append(releases, release)
			}
		}
		if slices.Sort(releases); len(slices.Compact(releases)) != 1 || !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(releases[0]) {
			t.Errorf("%s runs %q", overlay, releases)
		}
	}
}

// TestDeploymentRollsWithoutALoss holds the numbers that belong together to one another.
func TestDeploymentRollsWithoutALoss(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		built := render(t, kubernetesFolder+"/overlays/"+overlay)
		deployment := as[struct {
			Spec struct {
				Replicas *int
				Strategy struct {
					Type          string
					RollingUpdate struct {
						MaxSurge       int `yaml:"maxSurge"`
						MaxUnavailable int `yaml:"maxUnavailable"`
					} `yaml:"rollingUpdate"`
				}
				Template struct{ Spec pod }
			}
		}](t, built.of(t, "Deployment crownsafe-api")).Spec
		if s := deployment.Strategy; deployment.Replicas != nil || s.Type != "RollingUpdate" || s.RollingUpdate.MaxSurge != 1 || s.RollingUpdate.MaxUnavailable != 0 {
			t.Errorf("%s: replicas %v, %+v", overlay, deployment.Replicas, s)
		}
		p, cfg := deployment.Template.Spec, settingsOf(t, built)
		c := p.Containers[0]
		preStop := time.Duration(c.Lifecycle.PreStop.Sleep.Seconds) * time.Second
		if most := time.Duration(p.TerminationGracePeriodSeconds) * time.Second; preStop < 5*time.Second || preStop+cfg.Drain+cfg.Grace+10*time.Second > most {
			t.Errorf("%s: preStop %s, drain %s and grace %s don't fit into %s", overlay, preStop, cfg.Drain, cfg.Grace, most)
		}
		// In the drain readyz says no: long enough that the probe fails.
		if ready := c.ReadinessProbe; cfg.Drain < time.Duration(ready.PeriodSeconds*ready.FailureThreshold)*time.Second {
			t.Errorf("%s: the drain of %s is over before the probe has failed: %+v", overlay, cfg.Drain, ready)
		}
		for name, want := range map[string]struct {
			probe probe
			path  string
		}{"startup": {c.StartupProbe, "/api/readyz"}, "readiness": {c.ReadinessProbe, "/api/readyz"}, "liveness": {c.LivenessProbe, "/health"}} {
			if want.probe.HTTPGet.Path != want.path || want.probe.HTTPGet.Port != "http" {
				t.Errorf("%s: the %s probe asks for %+v", overlay, name, want.probe.HTTPGet)
			}
		}
		want := struct{ Requests, Limits map[string]string }{
			map[string]string{"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "1Gi"}, map[string]string{"cpu": "2000m", "memory": "2Gi", "ephemeral-storage": "5Gi"},
		}
		if diff := cmp.Diff(want, c.Resources); diff != "" {
			t.Errorf("%s: resources %s", overlay, diff)
		}
		// The program and Go follow the limits by themselves; a number here would beat them.
		for _, v := range c.Env {
			if strings.HasPrefix(v.Name, "GO") {
				t.Errorf("%s sets %s", overlay, v.Name)
			}
		}
		if len(c.Ports) != 1 || c.Ports[0].Name != "http" || c.Ports[0].ContainerPort != cfg.Port || cfg.Port != 8001 {
			t.Errorf("%s: ports %+v, PORT %d", overlay, c.Ports, cfg.Port)
		}
		scale := as[autoscaler](t, built.of(t, "HorizontalPodAutoscaler crownsafe-api")).Spec
		if connections := (scale.MaxReplicas+deployment.Strategy.RollingUpdate.MaxSurge)*(cfg.Database.PoolSize+cfg.Database.PoolOverflow+1) + 10; connections > 100 {
			t.Errorf("%s: %d pods may need %d connections to the database", overlay, scale.MaxReplicas, connections)
		}
	}
}

// autoscaler is a HorizontalPodAutoscaler.
type autoscaler struct {
	Spec struct {
		MinReplicas int `yaml:"minReplicas"`
		MaxReplicas int `yaml:"maxReplicas"`
		Metrics     []struct {
			Type     string
			Resource struct {
				Name   string
				Target struct {
					AverageUtilization int `yaml:"averageUtilization"`
				}
			}
			Pods struct{ Metric struct{ Name string } }
		}
	}
}

// TestAutoscaling of production is by processors, and by requests where the component
// is used, whose rule stands on a metric that the program has.
func TestAutoscaling(t *testing.T) {
	t.Parallel()
	scale := as[autoscaler](t, render(t, kubernetesFolder+"/overlays/production").of(t, "HorizontalPodAutoscaler crownsafe-api")).Spec
	if scale.MinReplicas != 3 || scale.MaxReplicas != 10 || len(scale.Metrics) != 1 || scale.Metrics[0].Resource.Name != "cpu" || scale.Metrics[0].Resource.Target.AverageUtilization != 70 {
		t.Errorf("%+v", scale)
	}
	byRate := as[autoscaler](t, render(t, "testdata/components").of(t, "HorizontalPodAutoscaler crownsafe-api")).Spec
	if len(byRate.Metrics) != 2 || !strings.Contains(read(t, kubernetesFolder+"/components/request-rate/adapter-rules.yaml"), "as: "+byRate.Metrics[1].Pods.Metric.Name+"\n") {
		t.Errorf("%+v, which the adapter's rule doesn't make", byRate.Metrics)
	}
}

// settingsOf reads the settings that the pods of the service get, as the program does.
// Secrets are files, which only their paths tell of.
func settingsOf(t *testing.T, built manifests) config.Config {
	t.Helper()
	cfg, err := config.Load(t.Context(), func(name string) (string, bool) { value, ok := variables(t, built)[name]; return value, ok })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func variables(t *testing.T, built manifests) map[string]string {
	t.Helper()
	return as[struct{ Data map[string]string }](t, built.of(t, "ConfigMap crownsafe-config")).Data
}

// TestSettingsAreKnown: each variable is one that docs/configuration.md tells of, each
// file of a secret is one that the Secret has, and nothing that it has is left unused.
func TestSettingsAreKnown(t *testing.T) {
	t.Parallel()
	documented := read(t, "../../docs/configuration.md")
	for _, overlay := range overlays {
		built := render(t, kubernetesFolder+"/overlays/"+overlay)
		cfg := settingsOf(t, built)
		if cfg.Environment != overlay || cfg.Migrate || cfg.Offline || len(cfg.Edge.Proxies()) == 0 || slices.Contains(cfg.Edge.Proxies(), netip.MustParsePrefix("0.0.0.0/0")) {
			t.Errorf("%s: %+v", overlay, cfg)
		}
		var files []string
		for name, value := range variables(t, built) {
			setting, isFile := strings.CutSuffix(name, "_FILE")
			if isFile && slices.Contains(config.SecretVariables(), setting) {
				files = append(files, strings.TrimPrefix(value, "/run/secrets/crownsafe/"))
				continue
			}
			if !strings.Contains(documented, "| `"+name+"` |") || slices.Contains(config.SecretVariables(), name) {
				t.Errorf("%s sets %s", overlay, name)
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(files)), keysOf(t, built, "crownsafe-secrets")); diff != "" {
			t.Errorf("%s: the files that are read, and the keys of the secret: %s", overlay, diff)
		}
		files = nil
		for _, v := range everyPod(t, overlay)["backup"].InitContainers[1].Env {
			files = append(files, strings.TrimPrefix(v.Value, "/run/secrets/crownsafe-backup/"))
		}
		if diff := cmp.Diff(files, keysOf(t, built, "crownsafe-backup-secrets")); diff != "" {
			t.Errorf("%s: the files that the backups' job reads, and the keys of its secret: %s", overlay, diff)
		}
		host := strings.TrimPrefix(cfg.PublicURL, "https://")
		ingress := built.of(t, "Ingress crownsafe-api")
		spec := as[struct {
			Spec struct {
				TLS   []struct{ Hosts []string }
				Rules []struct{ Host string }
			}
		}](t, ingress).Spec
		if spec.Rules[0].Host != host || !slices.Equal(spec.TLS[0].Hosts, []string{host}) || strings.HasSuffix(host, "example.org") {
			t.Errorf("%s is public as %s, and the ingress is for %+v", overlay, host, spec)
		}
	}
}

// keysOf lists the keys of a Secret that comes from the vault.
func keysOf(t *testing.T, built manifests, name string) (keys []string) {
	t.Helper()
	secret := as[struct {
		Spec struct {
			Target struct{ Name string }
			Data   []struct {
				SecretKey string `yaml:"secretKey"`
			}
		}
	}](t, built.of(t, "ExternalSecret "+name)).Spec
	if secret.Target.Name != name {
		t.Errorf("the secret %s becomes %s", name, secret.Target.Name)
	}
	for _, d := range secret.Data {
		keys = append(keys, d.SecretKey)
	}
	slices.Sort(keys)
	return keys
}

// TestTheBackupIsScheduled at two in the morning, is verified, and is nobody else's to make. What
// the job's containers are told is what the program does.
func TestTheBackupIsScheduled(t *testing.T) {
	t.Parallel()
	for _, overlay := range overlays {
		built := render(t, kubernetesFolder+"/overlays/"+overlay)
		cron := as[struct {
			Spec struct {
				Schedule          string
				TimeZone          string `yaml:"timeZone"`
				ConcurrencyPolicy string `yaml:"concurrencyPolicy"`
				JobTemplate       struct {
					Spec struct {
						TTL int `yaml:"ttlSecondsAfterFinished"`
					}
				} `yaml:"jobTemplate"`
			}
		}](t, built.of(t, "CronJob crownsafe-backup")).Spec
		// The limits of the history are for the schedule's own jobs; those of deployments end by time.
		if got := fmt.Sprint(cron); got != "{0 2 * * * Etc/UTC Forbid {{604800}}}" {
			t.Errorf("%s: %s", overlay, got)
		}
		if every := variables(t, built)["CROWNSAFE_BACKUP_SCHEDULE"]; every != "" {
			t.Errorf("%s: the pods make backups too: %s", overlay, every)
		}
		p := everyPod(t, overlay)["backup"]
		var steps []string
		data := t.TempDir()
		program.Run(t, nil, "migrate", "up", "--data", data)
		for _, c := range slices.Concat(p.InitContainers, p.Containers) {
			args := strings.Join(c.Args, " ")
			steps = append(steps, args)
			if got := program.Run(t, nil, strings.Fields(strings.ReplaceAll(args, "/data", data))...); got.Code != 0 {
				t.Errorf("%s: %s ends with %d: %s", overlay, args, got.Code, got.Stderr)
			}
		}
		want := []string{"backup create --full --reason scheduled --data /data", "backup verify --data /data", "backup prune --data /data"}
		if diff := cmp.Diff(want, steps); diff != "" || p.RestartPolicy != "Never" || len(p.Containers) != 1 {
			t.Errorf("%s: restarts %s, steps %s", overlay, p.RestartPolicy, diff)
		}
	}
}

// TestIncrementalBackups: between the nights production makes one every five minutes, and
// what the job is told is what the program does, also where there is none to follow.
func TestIncrementalBackups(t *testing.T) {
	t.Parallel()
	built := render(t, kubernetesFolder+"/overlays/production")
	cron := as[struct {
		Spec struct {
			Schedule          string
			ConcurrencyPolicy string `yaml:"concurrencyPolicy"`
		}
	}](t, built.of(t, "CronJob crownsafe-backup-incremental")).Spec
	if got := fmt.Sprint(cron); got != "{*/5 * * * * Forbid}" {
		t.Errorf("the schedule is %s", got)
	}
	p := everyPod(t, "production")["backup-incremental"]
	if len(p.InitContainers) != 0 || len(p.Containers) != 1 {
		t.Fatalf("the job's pod: %+v", p)
	}
	data := t.TempDir()
	program.Run(t, nil, "migrate", "up", "--data", data)
	args := strings.Fields(strings.ReplaceAll(strings.Join(p.Containers[0].Args, " "), "/data", data))
	for _, want := range []string{"crownsafe_backup_full_", "crownsafe_backup_incremental_"} {
		if got := program.Run(t, nil, args...); got.Code != 0 || !strings.HasPrefix(got.Stdout, want) {
			t.Errorf("want %s: it ends with %d: %s%s", want, got.Code, got.Stdout, got.Stderr)
		}
	}
}

// TestServiceFindsThePods by the labels that the pods have, and Prometheus finds the service.
func TestServiceFindsThePods(t *testing.T) {
	t.Parallel()
	built := render(t, kubernetesFolder+"/overlays/production")
	labels := as[struct {
		Spec struct {
			Template struct {
				Metadata struct{ Labels map[string]string }
			}
		}
	}](t, built.of(t, "Deployment crownsafe-api")).Spec.Template.Metadata.Labels
	service := built.of(t, "Service crownsafe-api")
	selector := as[struct {
		Spec struct{ Selector map[string]string }
	}](t, service).Spec.Selector
	monitor := as[struct {
		Spec struct {
			JobLabel string                                  `yaml:"jobLabel"`
			Selector struct{ MatchLabels map[string]string } `yaml:"selector"`
		}
	}](t, built.of(t, "ServiceMonitor crownsafe-api")).Spec
	for key, value := range selector {
		if labels[key] != value {
			t.Errorf("the service asks for %s=%s, which the pods haven't: %v", key, value, labels)
		}
	}
	if len(selector) != 2 || service.Metadata.Labels[monitor.JobLabel] != "crownsafe" {
		t.Errorf("selector %v, job %q", selector, service.Metadata.Labels[monitor.JobLabel])
	}
	for name, o := range built {
		if o.Metadata.Labels["app.kubernetes.io/part-of"] != "crownsafe" || o.Kind != "Namespace" && o.Metadata.Namespace != "crownsafe" {
			t.Errorf("%s is in %q, with labels %v", name, o.Metadata.Namespace, o.Metadata.Labels)
		}
	}
	if user := strconv.Itoa(imageUser); !strings.Contains(read(t, dockerfile), "USER "+user+":"+user+"\n") {
		t.Errorf("the images are not of user %s", user)
	}
}
