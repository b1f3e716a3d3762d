package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Objects;

/**
 * The list of what a commit of several files still has to do, one to a line. It stands in their
 * folder from before the first rename until after the last, so that another process can finish what
 * a killed one began.
 */
final class CommitList {
  /** How the list begins; the rest of its first line says which file it was written as. */
  private static final String HEADING = "lora-graph commit 1 ";

  static final String NAME = "list";
  private static final String SUFFIX = ".commit";
  private static final String MOVE = "move";
  private static final String DELETE = "delete";

  private CommitList() {}

  /**
   * Writes a list, and puts it into its place.
   *
   * @param list a file in the folder of all others
   */
  static void write(PartFile list, List<StagedFiles.Move> moves, List<Path> obsolete)
      throws IOException {
    StringBuilder text = new StringBuilder(HEADING).append(identity(list.path()));
    Path folder = AtomicFile.folderOf(list.path());
    for (StagedFiles.Move move : moves) {
      Path place = AtomicFile.folderOf(move.target()).toRealPath();
      line(
          text,
          MOVE,
          move.part().path().getFileName(),
          folder.relativize(place).resolve(move.target().getFileName()));
    }
    for (Path file : obsolete) {
      line(text, DELETE, file.getFileName());
    }
    list.channel().write(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
    list.channel().force(true);
    FolderChanges.move(list.path(), place(list));
    FolderChanges.sync(AtomicFile.folderOf(list.path()));
  }

  private static void line(StringBuilder text, String verb, Path... names) {
    text.append('\n').append(verb);
    for (Path name : names) {
      text.append(' ').append(URLEncoder.encode(name.toString(), StandardCharsets.UTF_8));
    }
  }

  /** Where the list stands that was written as a part. */
  static Path place(PartFile list) {
    String name = list.path().getFileName().toString();
    return list.path()
        .resolveSibling(name.substring(0, name.length() - PartFile.SUFFIX.length()) + SUFFIX);
  }

  /**
   * Which file of the disk it is: a list from elsewhere, in an archive say, must not move or delete
   * anything here.
   */
  private static String identity(Path file) throws IOException {
    Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    return key == null ? "" : key.toString();
  }

  /**
   * Finishes what killed processes were doing in a folder: moves what they had written whole.
   *
   * @throws LoraGraphException if there is something to finish and that is not possible
   */
  static void finishAll(Path folder) {
    Path list = null;
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(folder, "." + NAME + ".lora-*" + SUFFIX)) {
      for (Path file : found) {
        list = file;
        if (PartFile.isName(file.getFileName().toString())) {
          PartFile.ifAbandoned(file, () -> finish(file));
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      if (list != null) {
        IOException cause =
            e instanceof DirectoryIteratorException listing
                ? Objects.requireNonNull(listing.getCause())
                : (IOException) e;
        throw new LoraGraphException(
            "%s: a write was cut short here and cannot be finished: %s; make the folder writable"
                .formatted(folder, AtomicFile.reason(cause)),
            e);
      }
      // A folder that cannot be listed has nothing that could be finished.
    }
  }

  private static void finish(Path list) throws IOException {
    List<String> lines = Files.readAllLines(list);
    if (lines.isEmpty() || !lines.get(0).equals(HEADING + identity(list))) {
      return;
    }
    for (String line : lines.subList(1, lines.size())) {
      String[] words = line.split(" ");
      if (words[0].equals(MOVE)) {
        Path part = named(list, words[1]);
        if (PartFile.isName(part.getFileName().toString()) && Files.exists(part)) {
          FolderChanges.move(part, named(list, words[2]));
        }
      }
    }
    FolderChanges.sync(AtomicFile.folderOf(list));
    for (String line : lines.subList(1, lines.size())) {
      String[] words = line.split(" ");
      if (words[0].equals(DELETE)) {
        FolderChanges.delete(named(list, words[1]));
      }
    }
    FolderChanges.delete(list);
  }

  private static Path named(Path list, String word) throws IOException {
    try {
      Path name = Path.of(URLDecoder.decode(word, StandardCharsets.UTF_8)).normalize();
      // In the folder, or in one that lies in it.
      boolean inside = name.getNameCount() == 2 && !name.isAbsolute() && !name.startsWith("..");
      return list.resolveSibling(inside ? name : name.getFileName());
    } catch (InvalidPathException e) {
      throw new IOException("a name in " + list.getFileName() + " is none here", e);
    }
  }
}
