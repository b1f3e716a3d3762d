package io.github.loragraph.sagemaker.client;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.any;
import static com.github.tomakehurst.wiremock.client.WireMock.anyUrl;
import static com.github.tomakehurst.wiremock.client.WireMock.equalTo;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.head;
import static com.github.tomakehurst.wiremock.client.WireMock.matchingJsonPath;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.put;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathEqualTo;
import static com.github.tomakehurst.wiremock.client.WireMock.urlPathMatching;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.MappingBuilder;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.core.WireMockConfiguration;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import io.github.loragraph.cli.LoraGraph;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/**
 * SageMaker, S3 and CloudWatch on the loopback, as far as a test says what they answer: the SDK's
 * own settings name it, and the credentials are made up. What is not said is an internal error.
 */
final class FakeService implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();

  private static final String TARGET = "X-Amz-Target";
  private static final String SAGEMAKER = "SageMaker.";

  private final WireMockServer server =
      new WireMockServer(WireMockConfiguration.options().dynamicPort().bindAddress("127.0.0.1"));
  private final SystemProperties properties = new SystemProperties();

  FakeService() {
    server.start();
    properties.set("aws.endpointUrl", url());
    properties.set("aws.region", "eu-central-1");
    properties.set("aws.accessKeyId", "key");
    properties.set("aws.secretAccessKey", "secret");
    properties.set("aws.sessionToken", "token");
    // A test waits for no second attempt.
    properties.set("aws.maxAttempts", "1");
    server.stubFor(any(anyUrl()).atPriority(100).willReturn(aResponse().withStatus(500)));
    server.stubFor(
        head(urlPathMatching("/bucket/.*")).atPriority(50).willReturn(aResponse().withStatus(404)));
    server.stubFor(
        put(urlPathMatching("/bucket/.*")).atPriority(50).willReturn(aResponse().withStatus(200)));
  }

  String url() {
    return "http://127.0.0.1:" + server.port();
  }

  WireMockServer server() {
    return server;
  }

  /** A call of SageMaker's API is answered. */
  void answer(String operation, Object body) {
    server.stubFor(call(operation).willReturn(ok(body)));
  }

  private static MappingBuilder call(String operation) {
    return post(urlEqualTo("/"))
        .withHeader(TARGET, equalTo(SAGEMAKER + operation))
        .withHeader(
            "Authorization",
            com.github.tomakehurst.wiremock.client.WireMock.matching(
                "AWS4-HMAC-SHA256 Credential=key/.*/eu-central-1/sagemaker/aws4_request.*"));
  }

  static ResponseDefinitionBuilder ok(Object body) {
    try {
      return aResponse()
          .withStatus(200)
          .withHeader("Content-Type", "application/x-amz-json-1.1")
          .withBody(body instanceof String text ? text : JSON.writeValueAsString(body));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A refusal, as the service writes them. */
  static ResponseDefinitionBuilder refusal(int status, String code, String message) {
    return aResponse()
        .withStatus(status)
        .withHeader("Content-Type", "application/x-amz-json-1.1")
        .withHeader("x-amzn-RequestId", "11111111-2222-3333-4444-555555555555")
        .withBody("{\"__type\":\"%s\",\"message\":\"%s\"}".formatted(code, message));
  }

  /** All calls of an operation are refused. */
  void refuse(String operation, int status, String code, String message) {
    server.stubFor(call(operation).willReturn(refusal(status, code, message)));
  }

  /** A job is described so, one answer after the other, the last one ever after. */
  void describe(String name, Object... answers) {
    describeBy("DescribeTrainingJob", "TrainingJobName", name, answers);
  }

  void describeTuning(String name, Object... answers) {
    refuseOne("DescribeTrainingJob", "TrainingJobName", name);
    describeBy("DescribeHyperParameterTuningJob", "HyperParameterTuningJobName", name, answers);
  }

  /** There is no such job. */
  void refuseOne(String operation, String key, String name) {
    refuseOne(operation, key, name, "Requested resource not found.");
  }

  /** A call is refused for one job. */
  void refuseOne(String operation, String key, String name, String message) {
    server.stubFor(
        call(operation)
            .withRequestBody(matchingJsonPath("$." + key, equalTo(name)))
            .willReturn(refusal(400, "ValidationException", message)));
  }

  private void describeBy(String operation, String key, String name, Object... answers) {
    for (int i = 0; i < answers.length; i++) {
      server.stubFor(
          call(operation)
              .withRequestBody(matchingJsonPath("$." + key, equalTo(name)))
              .inScenario(name)
              .whenScenarioStateIs(state(i))
              .willSetStateTo(state(Math.min(i + 1, answers.length - 1)))
              .willReturn(
                  answers[i] instanceof ResponseDefinitionBuilder given ? given : ok(answers[i])));
    }
  }

  private static String state(int answer) {
    return answer == 0 ? Scenario.STARTED : Integer.toString(answer);
  }

  /** An object in S3, by its path: {@code /bucket/key}. */
  void object(String path, byte[] content) {
    server.stubFor(head(urlPathEqualTo(path)).willReturn(aResponse().withStatus(200)));
    server.stubFor(
        get(urlPathEqualTo(path)).willReturn(aResponse().withStatus(200).withBody(content)));
  }

  /** There is no such object. */
  void missing(String path) {
    refuseObject(path, 404, "NoSuchKey", "The specified key does not exist.");
  }

  /** Nobody may read the object, or there is none, and nobody may know. */
  void denied(String path) {
    refuseObject(path, 403, "AccessDenied", "Access Denied");
  }

  /** The object's bucket is in another region. */
  void elsewhere(String path, String region) {
    server.stubFor(
        get(urlPathEqualTo(path))
            .willReturn(
                refusedObject(301, "PermanentRedirect", "Use the endpoint.")
                    .withHeader("x-amz-bucket-region", region)));
  }

  private void refuseObject(String path, int status, String code, String message) {
    server.stubFor(get(urlPathEqualTo(path)).willReturn(refusedObject(status, code, message)));
  }

  private static ResponseDefinitionBuilder refusedObject(int status, String code, String message) {
    return aResponse()
        .withStatus(status)
        .withHeader("Content-Type", "application/xml")
        .withBody("<Error><Code>%s</Code><Message>%s</Message></Error>".formatted(code, message));
  }

  /** An object whose connection ends before it does. */
  void cut(String path, byte[] content) {
    server.stubFor(
        get(urlPathEqualTo(path))
            .willReturn(
                aResponse()
                    .withStatus(200)
                    .withHeader("Content-Length", Integer.toString(10 * content.length))
                    .withBody(content)));
  }

  /** The bodies of all calls of an operation, in their order. */
  List<JsonNode> requests(String operation) {
    List<JsonNode> requests = new ArrayList<>();
    server
        .findAll(
            postRequestedFor(urlEqualTo("/")).withHeader(TARGET, equalTo(SAGEMAKER + operation)))
        .forEach(
            request -> {
              try {
                requests.add(JSON.readTree(request.getBodyAsString()));
              } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
              }
            });
    return requests;
  }

  /** What a command printed and ended with. */
  record Ended(int code, String out, String err) {}

  /** {@code lora-graph sagemaker ...} in this process. */
  static Ended run(String... words) {
    List<String> all = new ArrayList<>(List.of("sagemaker"));
    all.addAll(List.of(words));
    CommandLine commandLine = LoraGraph.commandLine();
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    int code = LoraGraph.execute(commandLine, all.toArray(String[]::new));
    return new Ended(code, out.toString(), err.toString());
  }

  @Override
  public void close() {
    server.stop();
    properties.close();
  }
}
