package deploy

const (
	dockerfile = "../../deploy/docker/Dockerfile"
	imageUser  = 65532
)
