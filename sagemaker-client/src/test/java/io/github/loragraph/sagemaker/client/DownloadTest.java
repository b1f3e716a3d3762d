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
    assertEquals(0, again.code(), again.err());
    assertEquals(
        "job: " + folder.resolve("out/job") + " is there already: passed over",
        again.err().strip());
    assertEquals(ended.out(), again.out());
  }

  @Test
  void aModelWithAFolderOfOutputsKeepsItAndTheOthersAreNamed() throws IOException {
    service.object(
        OUTPUTS + "model.tar.gz",
        archive(new TarArchiveEntry("model.onnx"), new TarArchiveEntry("output/own.txt")));
    service.object(OUTPUTS + "output.tar.gz", archive(new TarArchiveEntry("report.html")));
    Ended ended = download();
    assertEquals(0, ended.code(), ended.err());
    assertEquals(
        "job: the archive of its model has a folder 'output' of its own, so that s3:/%soutput.tar.gz is left where it is"
            .formatted(OUTPUTS),
        ended.err().strip());
    assertEquals(List.of("out/job/model.onnx", "out/job/output/own.txt"), files());
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
                "job: there is no s3://bucket/sst2/job/output/model.tar.gz, where the service says that its model is; the job is Completed"));
    service.describe("failed", Jobs.failed("failed", "no such file"));
    assertTrue(
        refused("failed").contains("failed: it has no model; the job is Failed: no such file"));
    for (String other : List.of("adapter/", "config.json")) {
      service.object(OUTPUTS + "model.tar.gz", archive(new TarArchiveEntry(other)));
      assertTrue(
          refused("job")
              .contains(
                  "job: there is no .onnx file in s3://bucket/sst2/job/output/model.tar.gz; the job is Completed"));
    }
    service.object(OUTPUTS + "model.tar.gz", archive(new TarArchiveEntry("model.onnx")));
    service.missing(OUTPUTS + "output.tar.gz");
    Ended ended = download();
    assertEquals(0, ended.code(), ended.err());
    assertEquals("job has written nothing but its model", ended.err().strip());
  }

  @Test
  void oneJobWithoutAModelDoesNotKeepTheOthersAndTheSameCommandGoesOn() throws IOException {
    Path names =
        Files.writeString(folder.resolve("jobs.txt"), "first\nlate\ndamaged\nlast\nfirst\n");
    for (String name : List.of("first", "damaged", "last")) {
      service.describe(name, Jobs.completed(name, Map.of(), Map.of()));
      service.missing("/bucket/sst2/" + name + "/output/output.tar.gz");
    }
    service.describe("late", Jobs.stopped("late", "MaxRuntimeExceeded"));
    byte[] model = archive(new TarArchiveEntry("model.onnx"));
    service.object("/bucket/sst2/first/output/model.tar.gz", model);
    service.object("/bucket/sst2/damaged/output/model.tar.gz", new byte[] {1, 2, 3});
    service.object("/bucket/sst2/last/output/model.tar.gz", model);
    Path out = folder.resolve("out");
    Ended ended = FakeService.run("download", "@" + names, "-o", out.toString());
    assertEquals(1, ended.code(), ended.err());
    String both = "%s%n%s%n".formatted(out.resolve("first"), out.resolve("last"));
    assertEquals(both, ended.out());
    List<String> said = ended.err().lines().toList();
    assertEquals("late: it has no model; the job is Stopped, MaxRuntimeExceeded", said.get(1));
    assertTrue(said.get(2).startsWith("damaged: cannot unpack s3://bucket/sst2/damaged/"));
    assertEquals("lora-graph: 2 of 4 jobs could not be downloaded", said.get(4));
    service.object("/bucket/sst2/damaged/output/model.tar.gz", model);
    Ended again =
        FakeService.run("download", "first", "damaged", "last", "-o", out.toString(), "--json");
    assertEquals(0, again.code(), again.err());
    assertEquals(
        List.of(
            "first: " + out.resolve("first") + " is there already: passed over",
            "damaged has written nothing but its model",
            "last: " + out.resolve("last") + " is there already: passed over"),
        again.err().lines().toList());
    assertEquals(3, FakeService.JSON.readTree(again.out()).path("folders").size());
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
    assertTrue(refused("job").contains("job: cannot unpack " + model + ": it is damaged"));
    byte[] whole = archive(new TarArchiveEntry("model.onnx"));
    service.cut(OUTPUTS + "model.tar.gz", whole);
    String cut = refused("job");
    assertTrue(
        cut.contains("job: download " + model + " to " + target + ": the connection was cut ("),
        cut);
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
