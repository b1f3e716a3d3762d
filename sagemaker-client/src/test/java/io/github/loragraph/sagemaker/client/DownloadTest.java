package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.sagemaker.client.FakeService.Ended;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloadTest {
  private static final String OUTPUTS = "/bucket/sst2/job/output/";

  @TempDir private Path folder;
  private FakeService service;

  @BeforeEach
  void startService() {
    service = new FakeService();
    service.describe("job", Jobs.completed("job", Map.of(), Map.of()));
  }

  @AfterEach
  void stopService() {
    service.close();
  }

  private static byte[] archive(TarArchiveEntry... entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(new GzipCompressorOutputStream(bytes))) {
      for (TarArchiveEntry entry : entries) {
        byte[] content = entry.getName().getBytes(StandardCharsets.UTF_8);
        boolean isFile = entry.isFile() && !entry.isSymbolicLink();
        entry.setSize(isFile ? content.length : 0);
        tar.putArchiveEntry(entry);
        if (isFile) {
          tar.write(content);
        }
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private List<String> files() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toList();
    }
  }

  private Ended download() {
    return FakeService.run("download", "job", "-o", folder.resolve("out").toString());
  }

  @Test
  void theModelLiesFlatInTheFolderOfTheJobAndOutputsBesideIt() throws IOException {
    service.object(
        OUTPUTS + "model.tar.gz",
        archive(
            new TarArchiveEntry("./"),
            new TarArchiveEntry("./model.onnx"),
            new TarArchiveEntry("adapter/adapter_config.json")));
    service.object(OUTPUTS + "output.tar.gz", archive(new TarArchiveEntry("report.html")));
    Ended ended = download();
    assertEquals(0, ended.code(), ended.err());
    assertEquals("", ended.err());
    assertEquals(
        List.of(
            "out/job/adapter/adapter_config.json",
            "out/job/model.onnx",
            "out/job/output/report.html"),
        files());
    Ended again = download();
    assertEquals(1, again.code());
    assertTrue(again.err().contains("is there already: take it away"), again.err());
  }

  @Test
  void anArchiveThatReachesOutOfItsFolderLeavesNothing() throws IOException {
    TarArchiveEntry link = new TarArchiveEntry("link", TarConstants.LF_SYMLINK);
    link.setLinkName("/etc/passwd");
    TarArchiveEntry whole = new TarArchiveEntry("/outside.txt", true);
    for (TarArchiveEntry hostile :
        List.of(new TarArchiveEntry("../../outside.txt", true), link, whole)) {
      service.object(OUTPUTS + "model.tar.gz", archive(new TarArchiveEntry("model.onnx"), hostile));
      Ended ended = download();
      assertEquals(1, ended.code());
      assertEquals(1, ended.err().lines().count(), ended.err());
      assertTrue(ended.err().contains("it is not unpacked"), ended.err());
      assertEquals(List.of(), files());
    }
    // The second archive is held to the same.
    service.object(OUTPUTS + "model.tar.gz", archive(new TarArchiveEntry("model.onnx")));
    service.object(OUTPUTS + "output.tar.gz", archive(new TarArchiveEntry("../x", true)));
    assertEquals(1, download().code());
    assertEquals(List.of(), files());
  }

  /** The line that is said, after which nothing is there. */
  private String refused(String job) throws IOException {
    Ended ended = FakeService.run("download", job, "-o", folder.resolve("out").toString());
    assertEquals(1, ended.code());
    assertEquals("", ended.out());
    assertEquals(1, ended.err().lines().count(), ended.err());
    assertEquals(List.of(), files());
    return ended.err();
  }

  @Test
  void whatIsNotThereIsSaid() throws IOException {
    service.missing(OUTPUTS + "model.tar.gz");
    assertTrue(
        refused("job")
            .contains(
                "s3://bucket/sst2/job/output/model.tar.gz is not there any more: the model of job was removed"));
    service.describe("failed", Jobs.failed("failed", "no such file"));
    assertTrue(refused("failed").contains("failed has no model in S3: it is Failed: no such file"));
    service.object(OUTPUTS + "model.tar.gz", archive(new TarArchiveEntry("adapter/")));
    assertTrue(refused("job").contains("is an archive without a file: job has written no model"));
    service.object(OUTPUTS + "model.tar.gz", archive(new TarArchiveEntry("model.onnx")));
    service.missing(OUTPUTS + "output.tar.gz");
    Ended ended = download();
    assertEquals(0, ended.code(), ended.err());
    assertEquals("job has written nothing but its model", ended.err().strip());
  }

  @Test
  void outputsThatMayNotBeAskedForDoNotTakeTheModelAway() throws IOException {
    service.denied(OUTPUTS + "model.tar.gz");
    assertTrue(refused("job").contains("access is denied"));
    service.object(OUTPUTS + "model.tar.gz", archive(new TarArchiveEntry("model.onnx")));
    service.denied(OUTPUTS + "output.tar.gz");
    Ended ended = download();
    assertEquals(0, ended.code(), ended.err());
    assertEquals(List.of("out/job/model.onnx"), files());
    assertTrue(
        ended
            .err()
            .startsWith(
                "job: s3://bucket/sst2/job/output/output.tar.gz is taken as not there: access is denied"),
        ended.err());
  }

  @Test
  void aBucketOfAnotherRegionIsToldWithItsRegion() throws IOException {
    service.elsewhere(OUTPUTS + "model.tar.gz", "eu-west-1");
    assertTrue(refused("job").contains("the bucket is in another region, eu-west-1: "));
  }

  @Test
  void damagedCutAndUnwritableAreToldApartByTheNamesThatTheUserKnows() throws IOException {
    String model = "s3://bucket/sst2/job/output/model.tar.gz";
    String target = folder.resolve("out/job").toString();
    service.object(OUTPUTS + "model.tar.gz", new byte[] {1, 2, 3});
    assertTrue(refused("job").contains("cannot unpack " + model + ": it is damaged"));
    byte[] whole = archive(new TarArchiveEntry("model.onnx"));
    service.cut(OUTPUTS + "model.tar.gz", whole);
    String cut = refused("job");
    assertTrue(
        cut.contains("download " + model + " to " + target + ": the connection was cut ("), cut);
    String name = "z".repeat(300);
    service.object(OUTPUTS + "model.tar.gz", longName(name));
    String unwritable = refused("job");
    assertTrue(
        unwritable.contains("cannot write " + target + "/" + name.substring(0, 9)), unwritable);
  }

  private static byte[] longName(String name) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(new GzipCompressorOutputStream(bytes))) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      tar.putArchiveEntry(new TarArchiveEntry(name));
      tar.closeArchiveEntry();
    }
    return bytes.toByteArray();
  }
}
