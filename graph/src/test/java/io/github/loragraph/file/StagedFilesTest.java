package io.github.loragraph.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StagedFilesTest {
  @TempDir Path folder;

  private static void write(Path file, String text, boolean replace) {
    AtomicFile.write(file, replace, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
  }

  private Set<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  private static String rights(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  /** Writes into the folder of its first argument; then it waits. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) throws IOException {
      Path place = Path.of(args[0]);
      write(place.resolve("sub/new.txt"), "new", false);
      write(place.resolve("old.txt"), "new", true);
      AtomicFile.write(
          place.resolve("never.txt"),
          false,
          out -> {
            out.write(1);
            out.flush();
            System.out.println("writing");
            assertEquals(-1, System.in.read());
          });
    }
  }

  /** Starts the probe, with a umask, and waits until it is writing. */
  private Process probe(String umask) throws IOException {
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "umask $0; exec \"$@\"",
                umask,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Probe.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals("writing", process.inputReader().readLine());
    return process;
  }

  @ParameterizedTest
  @ValueSource(strings = {"077", "027", "002", "022"})
  void newFilesHaveTheRightsOfTheUmaskAndReplacedOnesKeepTheirs(String umask) throws Exception {
    Path old = Files.writeString(folder.resolve("old.txt"), "old");
    Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rw-r----x"));
    Process process = probe(umask);
    process.destroyForcibly().waitFor();
    int mask = Integer.parseInt(umask, 8);
    assertEquals(octal(0666 & ~mask), rights(folder.resolve("sub/new.txt")));
    assertEquals(octal(0777 & ~mask), rights(folder.resolve("sub")));
    assertEquals("new", Files.readString(old));
    assertEquals("rw-r----x", rights(old));
  }

  private static String octal(int rights) {
    StringBuilder text = new StringBuilder();
    for (int bit = 8; bit >= 0; bit--) {
      text.append((rights >> bit & 1) == 0 ? '-' : "xwr".charAt(bit % 3));
    }
    return text.toString();
  }

  @Test
  void whatAKilledProcessLeftIsTakenAwayByTheNextWriter() throws Exception {
    Process process = probe("022");
    Set<String> during = names();
    assertTrue(during.toString().contains(".never.txt.lora-"), during.toString());
    write(folder.resolve("other.txt"), "text", false);
    during.add("other.txt");
    assertEquals(during, names(), "its writer is alive");
    process.destroyForcibly().waitFor();
    write(folder.resolve("third.txt"), "text", false);
    assertFalse(names().toString().contains(".part"), names().toString());
  }

  @Test
  void filesOfOthersStay() throws IOException {
    Set<String> theirs =
        Set.of(".model.onnx123.part", "a.part", ".a.lora-xyz.part", ".lora-0123456789ab.part");
    for (String name : theirs) {
      Files.writeString(folder.resolve(name), "theirs");
    }
    Files.createDirectory(folder.resolve(".a.lora-0123456789ab.part"));
    write(folder.resolve("own.txt"), "text", false);
    assertEquals(theirs.size() + 2, names().size(), names().toString());
  }

  /** One that came with an archive, say, must do nothing. */
  @Test
  void aListFromElsewhereIsNotObeyed() throws IOException {
    Files.writeString(folder.resolve("precious.txt"), "precious");
    Files.writeString(
        folder.resolve(".list.lora-0123456789ab.commit"),
        "lora-graph commit 1 (dev=1,ino=2)\ndelete precious.txt");
    StagedFiles.finishInterrupted(folder);
    write(folder.resolve("own.txt"), "text", false);
    assertEquals("precious", Files.readString(folder.resolve("precious.txt")));
  }

  @Test
  void aFolderThatIsALinkToNothingStaysOneWhereTheWriteFails() throws IOException {
    Path link = folder.resolve("unmounted");
    Files.createSymbolicLink(link, folder.resolve("nowhere"));
    assertThrows(LoraGraphException.class, () -> write(link.resolve("a.txt"), "a", false));
    assertTrue(Files.isSymbolicLink(link));
  }

  @Test
  void linksStayAndTheFilesThatTheyNameAreWritten() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path file = Files.writeString(inner.resolve("file.txt"), "old");
    Path second = folder.resolve("second");
    Path first = folder.resolve("first");
    Files.createSymbolicLink(second, Path.of("inner/file.txt"));
    Files.createSymbolicLink(first, Path.of("second"));
    write(first, "new", true);
    assertEquals("new", Files.readString(file));
    assertTrue(Files.isSymbolicLink(first) && Files.isSymbolicLink(second));
    Path dangling = folder.resolve("dangling");
    Files.createSymbolicLink(dangling, Path.of("inner/made.txt"));
    write(dangling, "made", false);
    assertEquals("made", Files.readString(inner.resolve("made.txt")));
    Path circle = folder.resolve("circle");
    Files.createSymbolicLink(circle, Path.of("circle"));
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> write(circle, "x", true));
    assertTrue(e.getMessage().contains(circle + ": "), e.getMessage());
  }

  @Test
  void anotherNameOfAReplacedFileKeepsTheOldContent() throws IOException {
    Path file = Files.writeString(folder.resolve("file.txt"), "old");
    Path other = Files.createLink(folder.resolve("other.txt"), file);
    write(file, "new", true);
    assertEquals("old", Files.readString(other));
    assertEquals("new", Files.readString(file));
  }

  @Test
  void whatIsNoOrdinaryFileIsNotWrittenTo() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    for (Path place : List.of(pipe, Path.of("/dev/null"), folder)) {
      LoraGraphException e = assertThrows(LoraGraphException.class, () -> write(place, "x", true));
      assertTrue(e.getMessage().startsWith(place + " is a "), e.getMessage());
    }
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> InputFile.requireOrdinary(pipe));
    assertTrue(e.getMessage().startsWith(pipe + " is a pipe"), e.getMessage());
  }

  @Test
  void severalFilesAppearTogetherOrNotAtAll() throws IOException {
    Path kept = Files.writeString(folder.resolve("kept.txt"), "old");
    try (StagedFiles files = new StagedFiles(folder, true)) {
      files.write(kept, out -> out.write('x'));
      assertThrows(
          LoraGraphException.class,
          () ->
              files.write(
                  folder.resolve("b.txt"),
                  out -> {
                    throw new IOException("no more");
                  }));
    }
    assertEquals("old", Files.readString(kept));
    assertEquals(Set.of("kept.txt"), names());
  }
}
