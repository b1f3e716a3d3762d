# The training image for Amazon SageMaker, on a slim Debian: docker build -t lora-graph-sagemaker .
# Without Docker: mvn -Pimage -DskipTests package. Both put the same files into it; see docs/sagemaker.md.
ARG BASE=debian:bookworm-slim

FROM maven:3.9-eclipse-temurin-17 AS build
ARG BASE
WORKDIR /source
COPY . .
RUN mvn -B -q -Pimage -Djib.skip -Dimage.base=$BASE -DskipTests -pl sagemaker -am package

FROM $BASE
# In the order of how often they change: Java, the libraries of others, lora-graph.
COPY --from=build /source/sagemaker/target/image/runtime/ /
COPY --from=build /source/sagemaker/target/image/libraries/ /
COPY --from=build /source/sagemaker/target/image/ours/ /
RUN mkdir -p /opt/ml && chmod 1777 /opt/ml
ENV LC_ALL=C.UTF-8 LORA_GRAPH_CACHE=/opt/lora-graph/cache
USER 1000:1000
WORKDIR /tmp
ENTRYPOINT ["/opt/java/bin/java", "@/opt/lora-graph/java.options", "io.github.loragraph.cli.Main", "sagemaker"]
