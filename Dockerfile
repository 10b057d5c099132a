# Lifeline's worker and command line as one image: static programs on an image
# without shell or package manager, run by a user without rights.
#
#   docker build -t lifeline .                        the worker
#   docker run --entrypoint /usr/local/bin/starter lifeline --help

# 1.26.8 or later: what the go directive of go.mod asks for.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ARG TARGETOS TARGETARCH
WORKDIR /src

# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

COPY activities activities
COPY internal internal
COPY starter starter
COPY worker worker
COPY workflows workflows
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -buildvcs=false -ldflags='-s -w' -o /out/ ./worker ./starter

# Has CA certificates and time zones, nothing else.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/worker /out/starter /usr/local/bin/
COPY LICENSE /LICENSE
USER nonroot:nonroot
# The worker stops cleanly on SIGTERM; give it longer than its own stop timeout.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/worker"]
