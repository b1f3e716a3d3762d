package io.github.loragraph.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** With small contents; {@code NativeLibraryTest} has the real ones, in processes of their own. */
@DisabledOnOs(OS.WINDOWS)
class ToolCacheTest {
  private static final byte[] CONTENT = "content of a file".getBytes(StandardCharsets.UTF_8);
  private static final Map<String, Resource> FILES =
      Map.of("a", Resource.of("a", CONTENT), "b", Resource.of("b", new byte[0]));

  @TempDir Path temporary;
  private Path root;

  @BeforeEach
  void aRootThatIsNotThere() {
    root = temporary.resolve("some").resolve("cache");
  }

  private Path put() {
    return ToolCache.in(root).put("kind/name", FILES);
  }

  private Path file() {
    return root.resolve("kind/name/a");
  }

  @Test
  void filesAreMadeOnceForTheirOwnerAlone() throws IOException {
    assertEquals(root.resolve("kind/name"), put());
    assertEquals("content of a file", Files.readString(file()));
    assertEquals("rwx------", rights(root));
    assertEquals("rwx------", rights(root.resolve("kind")));
    Object made = Files.getAttribute(file(), "unix:ctime");
    FileTime noted = Files.getLastModifiedTime(note());
    put();
    assertEquals(made, Files.getAttribute(file(), "unix:ctime"));
    assertEquals(noted, Files.getLastModifiedTime(note()));
  }

  @Test
  void whatIsDamagedIsMadeAgain() throws IOException {
    put();
    for (String damaged : List.of("content of a fils", "short", "", "content of a file, longer")) {
      FileTime time = Files.getLastModifiedTime(file());
      Files.writeString(file(), damaged);
      Files.setLastModifiedTime(file(), time);
      put();
      assertEquals("content of a file", Files.readString(file()));
    }
  }

  @Test
  void aNoteThatIsNoneOrOfAnotherFileIsNotTrusted() throws IOException {
    put();
    String before = Files.readString(note());
    for (String note : List.of("", "no note", before.replaceAll("^\\d+", "1"), "x".repeat(5000))) {
      Files.writeString(note(), note);
      put();
      assertEquals(before, Files.readString(note()));
    }
    Files.writeString(file(), "content of a fils");
    Files.delete(note());
    put();
    assertEquals("content of a file", Files.readString(file()));
  }

  @Test
  void aCacheThatHasAllIsOnlyRead() throws IOException {
    put();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.toList()) {
        Files.setPosixFilePermissions(
            path,
            PosixFilePermissions.fromString(Files.isDirectory(path) ? "r-xr-xr-x" : "r--r--r--"));
      }
    }
    assertEquals(root.resolve("kind/name"), put());
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
    Files.setPosixFilePermissions(file().getParent(), PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void aFolderThatOthersCanWriteToIsRefused() throws IOException {
    put();
    for (String rights : List.of("rwxrwx---", "rwx----w-", "rwxrwxrwx")) {
      Files.setPosixFilePermissions(root, PosixFilePermissions.fromString(rights));
      String message = assertThrows(LoraGraphException.class, this::put).getMessage();
      assertTrue(message.contains("other users can write to " + root), message);
      assertTrue(message.contains("chmod go-w"), message);
    }
  }

  @Test
  void aFolderBelowOneThatOthersCanWriteToIsRefusedUnlessItIsSticky() throws IOException {
    Path above = Files.createDirectories(root.getParent());
    Files.setPosixFilePermissions(above, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertTrue(
        assertThrows(LoraGraphException.class, this::put)
            .getMessage()
            .contains("other users can write to " + above));
    Files.setAttribute(above, "unix:mode", 01777);
    put();
    assertEquals("content of a file", Files.readString(file()));
  }

  @Test
  void aFileOrFolderThatOthersCouldWriteToIsClosedAndCheckedAnew() throws IOException {
    put();
    for (Path open : List.of(file(), file().getParent())) {
      Files.setPosixFilePermissions(
          open,
          PosixFilePermissions.fromString(Files.isDirectory(open) ? "rwxrwxrwx" : "rw-rw-rw-"));
      put();
      assertFalse(rights(open).substring(3).contains("w"), rights(open));
    }
    assertEquals("content of a file", Files.readString(file()));
  }

  @Test
  void aLinkInTheCacheIsReplacedAndWhatItNamesLeftAlone() throws IOException {
    put();
    Path other = Files.writeString(temporary.resolve("other"), "mine");
    Files.delete(file());
    Files.createSymbolicLink(file(), other);
    put();
    assertFalse(Files.isSymbolicLink(file()));
    assertEquals("content of a file", Files.readString(file()));
    assertEquals("mine", Files.readString(other));
  }

  @Test
  void theCacheMayBeBehindALink() throws IOException {
    Path real = Files.createDirectory(temporary.resolve("real"));
    Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rwx------"));
    Files.createDirectories(root.getParent());
    Files.createSymbolicLink(root, real);
    put();
    assertTrue(Files.exists(real.resolve("kind/name/a")));
    Files.delete(root);
    Files.createSymbolicLink(root, temporary.resolve("nowhere"));
    assertTrue(
        assertThrows(LoraGraphException.class, this::put).getMessage().contains("leads nowhere"));
  }

  @Test
  void whatIsAnotherUsersIsRefused() throws IOException {
    put();
    assumeTrue(
        CurrentUser.principal().equals(CurrentUser.root()), "only root can give a file away");
    Files.setAttribute(root, "unix:uid", 65534);
    String message = assertThrows(LoraGraphException.class, this::put).getMessage();
    assertTrue(message.contains(root + " belongs to another user"), message);
    Files.setAttribute(root, "unix:uid", 0);
    // In a folder of one's own it is replaced.
    Files.setAttribute(file(), "unix:uid", 65534);
    put();
    assertEquals(0, Files.getAttribute(file(), "unix:uid"));
    Path link = temporary.resolve("link");
    Files.createSymbolicLink(link, root);
    Files.setAttribute(link, "unix:uid", 65534, java.nio.file.LinkOption.NOFOLLOW_LINKS);
    message =
        assertThrows(LoraGraphException.class, () -> ToolCache.in(link).put("kind/name", FILES))
            .getMessage();
    assertTrue(message.contains("the link " + link + " is another user's"), message);
  }

  @Test
  void manyMayPutTheSameAtOnce() {
    List<Path> made = IntStream.range(0, 16).parallel().mapToObj(i -> put()).distinct().toList();
    assertEquals(List.of(root.resolve("kind/name")), made);
    assertTrue(CachedFile.areIntact(made.get(0), FILES));
  }

  @Test
  void aContentThatIsNotWhatItShouldBeIsNotPutIntoTheCache() {
    Resource right = FILES.get("a");
    Resource wrong = new Resource("a", right.checksum() + 1, right.source());
    String message =
        assertThrows(
                LoraGraphException.class, () -> ToolCache.in(root).put("n", Map.of("a", wrong)))
            .getMessage();
    assertTrue(message.contains("a is damaged: install lora-graph again"), message);
    assertFalse(Files.exists(root.resolve("n").resolve("a")));
  }

  private Path note() {
    return file().resolveSibling("a.checked");
  }

  private static String rights(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}
