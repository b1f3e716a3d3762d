package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.sagemaker.client.FakeService.Ended;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.core.exception.SdkClientException;

/** Settings of the SDK that are wrong, on a machine that has no others. */
class MachineSettingsTest {
  @TempDir private Path folder;
  private Path config;
  private Path credentials;
  private final SystemProperties properties = new SystemProperties();

  @BeforeEach
  void noOthers() {
    config = folder.resolve("config");
    set("aws.configFile", config.toString());
    credentials = folder.resolve("credentials");
    set("aws.sharedCredentialsFile", credentials.toString());
    set("aws.disableEc2Metadata", "true");
    set("aws.region", "eu-central-1");
  }

  @AfterEach
  void asBefore() {
    properties.close();
  }

  private void set(String property, String value) {
    properties.set(property, value);
  }

  private static String refused() {
    Ended ended = FakeService.run("compare", "job");
    assertEquals(1, ended.code(), ended.err());
    assertEquals(1, ended.err().lines().count(), ended.err());
    return ended.err().strip();
  }

  @ParameterizedTest
  @CsvSource({
    "aws.maxAttempts, abc, 'a whole number, 1 or more'",
    "aws.maxAttempts, 0, 'a whole number, 1 or more'",
    "aws.retryMode, foo, 'one of legacy, standard, adaptive'",
    "aws.defaultsMode, x, 'one of legacy, standard, in-region, cross-region, mobile, auto'",
    "aws.useFipsEndpoint, x, 'one of true, false'",
    "aws.useDualstackEndpoint, x, 'one of true, false'",
    "aws.disableRequestCompression, x, 'one of true, false'",
    "aws.requestMinCompressionSizeBytes, x, 'a whole number, 0 or more'",
    "aws.requestChecksumCalculation, x, 'one of when_supported, when_required'",
    "aws.responseChecksumValidation, x, 'one of when_supported, when_required'",
    "aws.endpointUrl, nonsense, 'an address, as https://HOST'",
    "aws.endpointUrl, '', 'an address, as https://HOST'",
    "aws.endpointUrlS3, ftp://a, 'an address, as https://HOST'",
    "aws.endpointUrl, http://127.0.0.1:99999, 'an address, as https://HOST'",
    "aws.region, eu central, 'a region, as eu-central-1'",
    "aws.region, nowhere, 'a region, as eu-central-1'",
  })
  void aWrongValueIsNamedWithItsPlace(String property, String value, String form) {
    set(property, value);
    assertEquals(
        "lora-graph: the system property %s is '%s': it has to be %s"
            .formatted(property, value, form),
        refused());
  }

  @ParameterizedTest
  @CsvSource({
    "retry_mode, foo",
    "defaults_mode, x",
    "use_fips_endpoint, x",
    "use_dualstack_endpoint, x",
    "disable_request_compression, x",
    "request_min_compression_size_bytes, x",
    "request_checksum_calculation, x",
    "response_checksum_validation, x",
    "endpoint_url, http://a b",
  })
  void inTheFilesLikewise(String key, String value) throws IOException {
    Files.writeString(config, "[default]\n%s = %s\n".formatted(key, value));
    String said = refused();
    assertTrue(
        said.startsWith(
            "lora-graph: %s of profile default in %s is '%s': it has to be "
                .formatted(key, config, value)),
        said);
  }

  @Test
  void theFileIsNamedThatTheValueStandsIn() throws IOException {
    Files.writeString(config, "[default]\nregion = eu-central-1\n");
    Files.writeString(credentials, "[default]\nretry_mode = foo\n");
    String said = refused();
    assertTrue(
        said.startsWith(
            "lora-graph: retry_mode of profile default in %s is 'foo'".formatted(credentials)),
        said);
  }

  @ParameterizedTest
  @CsvSource({"s3", "sagemaker", "cloudwatch_logs", "sts", "sso", "sso_oidc"})
  void anEndpointOfOneServiceIsAnAddressToo(String service) throws IOException {
    writeServices("%s =\n  endpoint_url = host:9000\n".formatted(service));
    assertEquals(
        "lora-graph: %s.endpoint_url of services mine in %s is 'host:9000': it has to be an address, as https://HOST"
            .formatted(service, config),
        refused());
  }

  private void writeServices(String services) throws IOException {
    Files.writeString(config, "[default]\nservices = mine\n[services mine]\n" + services);
  }

  @Test
  void anEndpointOfS3AloneIsAskedWithTheBucketInThePath() throws IOException {
    Path file = Jobs.file(folder, "sst2.yaml", Jobs.ARTICLE + "  region: us1\n");
    try (FakeService service = new FakeService()) {
      service.answer("CreateTrainingJob", Map.of("TrainingJobArn", "arn"));
      set("aws.region", "us1");
      System.clearProperty("aws.endpointUrl");
      String url = service.url().replace("127.0.0.1", "localhost");
      writeServices(
          "s3 =\n  endpoint_url = %1$s\nsagemaker =\n  endpoint_url = %1$s\n".formatted(url));
      Ended ended = FakeService.run("submit", file.toString());
      assertTrue(ended.err().contains("uploaded "), ended.err());
    }
    Files.delete(config);
    assertTrue(
        assertThrows(LoraGraphException.class, () -> TrainingJobs.plan(file))
            .getMessage()
            .contains("sagemaker.region: 'us1' is no region"));
  }

  @ParameterizedTest
  @CsvSource({
    "nonsense, Expected an '=' sign",
    "[unclosed, Profile definition must end",
  })
  void aFileThatIsNoneIsNamed(String line, String reason) throws IOException {
    Files.writeString(config, "[default]\n" + line + "\n");
    String said = refused();
    assertTrue(said.startsWith("lora-graph: " + config + " cannot be read: " + reason), said);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "aws.accessKeyId",
        "aws.secretAccessKey",
        "aws.sessionToken",
        "aws.executionEnvironment",
        "sdk.ua.appId"
      })
  void aSecretInSeveralLinesIsRefusedAndNotSaid(String property) {
    set(property, "hush\nhush");
    assertEquals(
        "lora-graph: the system property %s has a line break or another control character in it: write it in one line, as it was given out"
            .formatted(property),
        refused());
  }

  @Test
  void inTheFilesASecretIsNotSaidEither() throws IOException {
    Path credentials = folder.resolve("credentials");
    String pair = "aws_access_key_id = key\naws_secret_access_key = hush\n";
    Files.writeString(
        credentials, "[other]\n" + pair + "aws_session_token = hush\n hush\n[default]\n" + pair);
    set("aws.endpointUrl", "http://127.0.0.1:1");
    set("aws.maxAttempts", "1");
    assertTrue(refused().contains("the service cannot be reached"));
    Files.writeString(
        config, "[default]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = other");
    Files.writeString(credentials, "[other]\n" + pair + "aws_session_token = hush\n hush\n");
    assertEquals(
        "lora-graph: aws_session_token of profile other in %s has a line break or another control character in it: write it in one line, as it was given out"
            .formatted(credentials),
        refused());
  }

  @Test
  void norIsOneThatAnotherProgramGivesOut() throws IOException {
    Path given =
        Files.writeString(
            folder.resolve("given.json"),
            "{\"Version\":1,\"AccessKeyId\":\"key\",\"SecretAccessKey\":\"secret\",\"SessionToken\":\"hush\\nhush\"}");
    Files.writeString(config, "[default]\ncredential_process = cat " + given);
    set("aws.endpointUrl", "http://127.0.0.1:1");
    Ended ended = FakeService.run("compare", "job", "--stacktrace");
    assertEquals(1, ended.code());
    assertFalse(ended.err().contains("hush"), ended.err());
    assertTrue(ended.err().contains("Illegal character(s) in message header value"), ended.err());
    assertFalse(ended.err().contains("internal error"), ended.err());
  }

  @ParameterizedTest
  @CsvSource({
    "http://user:hush@ho st, http://...@ho st",
    "http://us@er:hu sh@host, http://...@host",
    "user:hush@host, ...@host",
  })
  void anAddressIsSaidWithoutItsPassword(String address, String shown) {
    set("aws.endpointUrl", address);
    assertEquals(
        "lora-graph: the system property aws.endpointUrl is '%s': it has to be an address, as https://HOST"
            .formatted(shown),
        refused());
  }

  @Test
  void aRegionOfTheFileIsLookedAtBehindAnEmptyVariable() throws IOException {
    set("aws.region", " ");
    Files.writeString(config, "[default]\nregion = eu central\n");
    String said = refused();
    assertTrue(said.endsWith("is 'eu central': it has to be a region, as eu-central-1"), said);
    assertTrue(said.startsWith("lora-graph: region of profile default in "), said);
  }

  @Test
  void aFileWithAByteOrderMarkIsSaid() throws IOException {
    Files.writeString(config, "\ufeff[default]\nregion = eu-central-1\n");
    assertEquals(
        "lora-graph: "
            + config
            + " begins with a byte order mark, which the SDK of AWS does not take: save it as UTF-8 without one",
        refused());
  }

  /** What a provider says by itself, once it has given some out. */
  @ParameterizedTest
  @CsvSource({
    "Failed to load credentials from metadata service., AWS_CONTAINER_CREDENTIALS_FULL_URI or ..._RELATIVE_URI",
    "Failed to load credentials from IMDS., this machine's role",
  })
  void credentialsThatCannotBeRenewedAreNotMissing(String message, String place) {
    assertEquals(
        "the credentials cannot be renewed: %s does not answer".formatted(place),
        ServiceFailure.words(SdkClientException.create(message, new ConnectException("refused"))));
  }

  @Test
  void aRoleWhoseServiceIsAwayIsSaid() throws IOException {
    Files.writeString(
        config,
        """
        [default]
        role_arn = arn:aws:iam::123456789012:role/a
        source_profile = base
        [profile base]
        aws_access_key_id = key
        aws_secret_access_key = secret
        """);
    set("aws.endpointUrl", "http://127.0.0.1:1");
    set("aws.maxAttempts", "1");
    String said = refused();
    assertTrue(said.contains("the service that gives them out cannot be reached: "), said);
    assertFalse(said.contains("SDK Attempt"), said);
  }

  @Test
  void anEmptyRegionIsWrongUsage() {
    Ended ended = FakeService.run("compare", "job", "--region", "");
    assertEquals(2, ended.code(), ended.err());
    assertTrue(ended.err().startsWith("lora-graph: --region is empty"), ended.err());
    Ended none = FakeService.run("compare", "job", "--region", "eu central");
    assertEquals(1, none.code());
    assertEquals(
        "lora-graph: the region is 'eu central': it has to be a region, as eu-central-1",
        none.err().strip());
  }

  @ParameterizedTest
  @CsvSource({"''", "http://127.0.0.1:1"})
  void noProgramAsksAnEmptyRegion(String endpoint) {
    if (!endpoint.isEmpty()) {
      set("aws.endpointUrl", endpoint);
    }
    LoraGraphException refused =
        assertThrows(LoraGraphException.class, () -> TrainingJobs.open("").close());
    assertEquals("the region is '': it has to be a region, as eu-central-1", refused.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    // That there is a session of SSO says nothing of the credentials.
    "'[sso-session x]|sso_region = eu-central-1|sso_start_url = https://a.b', there are no credentials: sign in with",
    "'sso_session = x|sso_account_id = 1|sso_role_name = r|[sso-session x]|sso_region = eu-central-1|sso_start_url = https://a.b', 'the credentials have expired, or there are none yet (Unable to load SSO token): sign in with'",
    "'source_profile = nope|role_arn = x', there are no credentials that can be used (the profile in FILES: The source profile of 'default' was configured to be 'nope'",
    "'credential_process = /nope/x', there are no credentials that can be used (the profile in FILES: Failed to refresh process-based credentials)",
    "'web_identity_token_file = /nope|role_arn = x', there are no credentials that can be used (the profile in FILES: java.nio.file.NoSuchFileException: /nope)",
    "'aws_access_key_id = x', there are no credentials that can be used (the profile in FILES: Profile property 'aws_secret_access_key' was not configured",
  })
  void whyThereAreNoCredentialsIsSaid(String lines, String reason) throws IOException {
    Files.writeString(config, "[default]\n" + lines.replace('|', '\n') + "\n");
    String said = refused();
    assertTrue(
        said.startsWith(
            "lora-graph: job: " + reason.replace("FILES", credentials + " and " + config)),
        said);
  }

  @Test
  void aProfileThatIsNotThereIsNamed() {
    set("aws.profile", "nope");
    assertEquals(
        "lora-graph: job: there is no profile 'nope' in %s and %s: correct AWS_PROFILE"
            .formatted(credentials, config),
        refused());
  }
}
