package io.github.loragraph.sagemaker.client;

import java.util.stream.Stream;

/** The SDK's setting of another host than AWS's own: {@code AWS_ENDPOINT_URL}. */
final class ServiceEndpoint {
  private ServiceEndpoint() {}

  /** Whether S3 is asked at another host. */
  static boolean isNamed() {
    return Stream.of("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
            .anyMatch(name -> System.getenv(name) != null)
        || Stream.of("aws.endpointUrl", "aws.endpointUrlS3")
            .anyMatch(name -> System.getProperty(name) != null);
  }
}
