package io.github.loragraph.sagemaker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TarGzTest {
  private static final byte[] CONTENT = "content".getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;

  private static byte[] archive(TarArchiveEntry... entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (OutputStream packed = new GZIPOutputStream(bytes);
        TarArchiveOutputStream tar = new TarArchiveOutputStream(packed)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (TarArchiveEntry entry : entries) {
        boolean hasContent = entry.isFile() && !entry.isLink() && !entry.isSymbolicLink();
        entry.setSize(hasContent && !entry.getName().endsWith("/") ? CONTENT.length : 0);
        tar.putArchiveEntry(entry);
        if (entry.getSize() > 0) {
          tar.write(CONTENT);
        }
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static TarArchiveEntry entry(String name) {
    return new TarArchiveEntry(name, true);
  }

  private static TarArchiveEntry link(String name, byte kind, String target) {
    TarArchiveEntry entry = new TarArchiveEntry(name, kind);
    entry.setLinkName(target);
    return entry;
  }

  @Test
  void whatLiesInItIsUnpacked() throws IOException {
    String deep = "a/".repeat(60) + "model.onnx";
    Path archive =
        Files.write(
            folder.resolve("model.tar.gz"),
            archive(entry("./"), entry("./config.json"), entry("adapter/x"), entry(deep)));
    Path target = folder.resolve("new/model");
    TarGz.unpack(archive, target);
    for (String name : List.of("config.json", "adapter/x", deep)) {
      assertEquals("content", Files.readString(target.resolve(name)));
    }
    assertThrows(LoraGraphException.class, () -> TarGz.unpack(archive, target));
  }

  static Stream<Arguments> hostile() throws IOException {
    byte[] whole = archive(entry("config.json"), entry("model.onnx"));
    return Stream.of(
        Arguments.of("lies outside", archive(entry("../x"))),
        Arguments.of("lies outside", archive(entry("a/../../x"))),
        Arguments.of("lies outside", archive(entry("/etc/x"))),
        Arguments.of("is a link", archive(link("x", TarConstants.LF_SYMLINK, "/etc/passwd"))),
        Arguments.of("is a link", archive(link("x", TarConstants.LF_LINK, "/etc/passwd"))),
        Arguments.of("is a link", archive(link("x", TarConstants.LF_FIFO, ""))),
        Arguments.of("is a link", archive(link("x", TarConstants.LF_CHR, ""))),
        Arguments.of("cannot write", archive(entry("n".repeat(300)))),
        Arguments.of("a file twice", archive(entry("x"), entry("./x"))),
        Arguments.of("damaged", Arrays.copyOf(whole, whole.length - 20)),
        Arguments.of("damaged", CONTENT),
        Arguments.of("damaged", new byte[0]));
  }

  @ParameterizedTest
  @MethodSource("hostile")
  void whatIsNoArchiveOfFilesIsRefusedAndLeavesNothing(String message, byte[] bytes)
      throws IOException {
    Path archive = Files.write(folder.resolve("model.tar.gz"), bytes);
    Path target = folder.resolve("model");
    LoraGraphException refusal =
        assertThrows(LoraGraphException.class, () -> TarGz.unpack(archive, target));
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
    assertFalse(Files.exists(target));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(archive), left.toList());
    }
  }
}
