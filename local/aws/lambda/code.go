package lambda

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go/aws"
)

// Limits of deployment packages in bytes.
const (
	largestZip      = 50 << 20
	largestUnpacked = 250 << 20
)

// code is a deployment package.
type code struct {
	zip []byte
	sum string // SHA-256, base64
	dir string // where it is unpacked; "" until it runs. Guarded by Lambda.mu
}

// load takes a package out of a request or a bucket and checks that it can be
// unpacked. That it can run shows when it does, as on AWS.
func (l *Lambda) load(region string, sent []byte, bucket, key *string) (*code, error) {
	body := sent
	switch {
	case len(sent) > 0 && bucket != nil:
		return nil, badValue("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case len(sent) > largestZip:
		return nil, refuse(413, "RequestEntityTooLargeException", "Request must be smaller than %d bytes for the CreateFunction operation", largestZip)
	case len(sent) == 0 && (bucket == nil || key == nil):
		return nil, badValue("Please provide a source for function code.")
	case len(sent) == 0:
		var err error
		if body, err = l.fetch(region, *bucket, *key); err != nil {
			return nil, err
		}
	}
	if _, err := entries(body); err != nil {
		return nil, badValue("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	sum := sha256.Sum256(body)
	return &code{zip: bytes.Clone(body), sum: base64.StdEncoding.EncodeToString(sum[:])}, nil
}

func (l *Lambda) fetch(region, bucket, key string) ([]byte, error) {
	if l.options.Objects == nil {
		return nil, badValue("Code in buckets can't be read here.")
	}
	body, ok, err := l.options.Objects(region, bucket, key)
	switch {
	case err != nil:
		return nil, badValue("Error occurred while GetObject. S3 Error Message: %v", err)
	case !ok:
		return nil, badValue("Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
	}
	return body, nil
}

// entries are the files of a package, none of which may leave its folder.
func entries(body []byte) ([]*zip.File, error) {
	r, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, fmt.Errorf("read zip: %w", err)
	}
	var size uint64
	for _, f := range r.File {
		size += f.UncompressedSize64
		if !filepath.IsLocal(f.Name) || size > largestUnpacked {
			return nil, fmt.Errorf("zip entry %q: outside its folder, or too large", f.Name)
		}
	}
	return r.File, nil
}

// unpack puts the package into a folder of its own, once; l.mu is held.
func (l *Lambda) unpack(c *code) (string, error) {
	if c.dir != "" {
		return c.dir, nil
	}
	root, err := l.folder()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(root, "task-")
	if err != nil {
		return "", fmt.Errorf("make a folder for code: %w", err)
	}
	files, err := entries(c.zip)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if err := extract(dir, f); err != nil {
			return "", err
		}
	}
	c.dir = dir
	return dir, nil
}

func extract(dir string, f *zip.File) error {
	const folderMode = 0o750
	path := filepath.Join(dir, filepath.FromSlash(f.Name)) // entries refused names that leave the folder
	if f.FileInfo().IsDir() {
		return os.MkdirAll(path, folderMode)
	}
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	from, err := f.Open()
	if err != nil {
		return fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	defer func() { _ = from.Close() }() // it was only read
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, f.Mode().Perm())
	if err != nil {
		return fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	_, err = io.Copy(to, io.LimitReader(from, largestUnpacked))
	if closed := to.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", f.Name, err)
	}
	return nil
}

// environ is what a function's process finds in its environment.
func (l *Lambda) environ(region string, v *version, runtimeAPI string) []string {
	c := &v.config
	out := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=en_US.UTF-8", "TZ=:UTC", "HOME=" + v.code.dir,
		"LAMBDA_TASK_ROOT=" + v.code.dir, "LAMBDA_RUNTIME_DIR=" + v.code.dir, "_HANDLER=" + aws.StringValue(c.Handler),
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_FUNCTION_NAME=" + *c.FunctionName, "AWS_LAMBDA_FUNCTION_VERSION=" + *c.Version,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", *c.MemorySize), "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + *c.FunctionName,
		"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		// Keys say here who calls; nobody checks a signature.
		"AWS_ACCESS_KEY_ID=" + *c.FunctionName, "AWS_SECRET_ACCESS_KEY=simulated",
	}
	if l.options.Endpoint != "" {
		out = append(out, "AWS_ENDPOINT_URL="+l.options.Endpoint)
	}
	for key, value := range variables(c) {
		out = append(out, key+"="+value)
	}
	return out
}
