package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Files of one folder that are written beside their places first, all of them, and then renamed
 * into them: first those that are new, then those that replace others, in the order in which they
 * were staged. Whatever fails before leaves the folder as it was. A process that is killed between
 * two renames leaves a list of what was still to be done, which the next writer in the folder, or
 * the next reader of a model in it, finishes: so a model and its weights, or its configuration, are
 * never of two writes for long, and each file by itself is whole at every moment.
 *
 * <p>New files have the rights that the umask gives; one that is replaced keeps its own and, as far
 * as the system allows, its owner and group. Where a link stands in a file's place, the file that
 * it names is written and the link stays.
 */
public final class StagedFiles implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  /** How the list begins; the rest of its first line says which file it was written as. */
  private static final String LIST_HEADING = "lora-graph commit 1 ";

  private static final String LIST_NAME = "list";
  private static final String LIST_SUFFIX = ".commit";
  private static final String MOVE = "move";
  private static final String DELETE = "delete";

  private final Path folder;
  private final boolean replace;
  private final Set<PartFile> parts = new LinkedHashSet<>();
  private final List<Move> moves = new ArrayList<>();
  private final List<Path> obsolete = new ArrayList<>();
  private final Runnable cleanUp = this::discard;

  private record Move(PartFile part, Path target, boolean isNew) {}

  /**
   * Begins to write into a folder, which is made where it is missing.
   *
   * @param replace whether files that exist may be replaced
   * @throws LoraGraphException if the folder cannot be made
   */
  public StagedFiles(Path folder, boolean replace) {
    this.folder = folder.toAbsolutePath();
    this.replace = replace;
    try {
      Files.createDirectories(this.folder);
      finishInterrupted(this.folder);
      PartFile.deleteAbandoned(this.folder);
    } catch (IOException e) {
      throw cannotWrite(folder, e);
    }
    ProcessEnd.add(cleanUp);
  }

  private static LoraGraphException cannotWrite(Path file, IOException e) {
    return new LoraGraphException("cannot write " + file + ": " + AtomicFile.reason(e), e);
  }

  /** Whether files that exist may be replaced. */
  public boolean mayReplace() {
    return replace;
  }

  /**
   * Writes a file beside its place.
   *
   * @throws LoraGraphException if the file exists and may not be replaced, or cannot be written
   */
  public void write(Path file, AtomicFile.Body body) {
    AtomicFile.checkTarget(file, replace);
    PartFile part = null;
    try {
      Path target = behindLinks(file);
      Path place = target.getParent();
      Files.createDirectories(place);
      PosixFileAttributes old = attributes(target);
      part = create(place, target.getFileName().toString(), rights(old));
      // The stream is not closed: that would close the channel, which holds the lock.
      OutputStream out =
          new BufferedOutputStream(Channels.newOutputStream(part.channel()), BUFFER_BYTES);
      body.writeTo(out);
      out.flush();
      if (old != null) {
        keepRights(part.path(), old);
      }
      FolderChanges.before("force " + part.path().getFileName());
      part.channel().force(true);
      synchronized (this) {
        moves.add(new Move(part, target, !Files.exists(target)));
      }
      part = null;
    } catch (IOException e) {
      throw cannotWrite(file, e);
    } finally {
      if (part != null) {
        part.discard();
      }
    }
  }

  private synchronized PartFile create(Path place, String name, FileAttribute<?>... rights)
      throws IOException {
    PartFile part = PartFile.create(place, name, rights);
    parts.add(part);
    return part;
  }

  /** Whether a file of this name is among those that were written. */
  public synchronized boolean isWritten(Path file) {
    Path path = file.toAbsolutePath();
    return moves.stream().anyMatch(move -> move.target.equals(path));
  }

  /** What is to be removed once all files stand in their places. */
  public synchronized void deleteAfterwards(Path file) {
    obsolete.add(file.toAbsolutePath());
  }

  /**
   * Puts all files into their places.
   *
   * @throws LoraGraphException if that cannot be done: as long as no file was replaced all is then
   *     as it was, and each file is whole in any case
   */
  public synchronized void commit() {
    if (moves.isEmpty()) {
      return;
    }
    // As long as only these stand in their places, all can be undone.
    moves.sort(Comparator.comparing(move -> !move.isNew));
    int moved = 0;
    PartFile list = null;
    try {
      if (moves.size() + obsolete.size() > 1 && areAllHere()) {
        list = writeList();
      }
      for (Move move : moves) {
        move(move.part.path(), move.target);
        moved++;
      }
      moves.stream().map(move -> move.target.getParent()).distinct().forEach(StagedFiles::sync);
    } catch (IOException e) {
      List<Move> done = moves.subList(0, moved);
      if (done.stream().allMatch(Move::isNew)) {
        done.forEach(move -> deleteQuietly(move.target));
      }
      if (list != null) {
        deleteQuietly(listPath(list));
      }
      Path failed = moves.get(Math.min(moved, moves.size() - 1)).target;
      discard();
      throw cannotWrite(failed, e);
    }
    obsolete.forEach(StagedFiles::deleteQuietly);
    if (list != null) {
      deleteQuietly(listPath(list));
    }
    discard();
  }

  /** A list of what is to be done names files of this folder only. */
  private boolean areAllHere() throws IOException {
    Path real = folder.toRealPath();
    for (Move move : moves) {
      if (!move.part.path().getParent().equals(real)) {
        return false;
      }
    }
    for (Path file : obsolete) {
      if (!file.getParent().toRealPath().equals(real)) {
        return false;
      }
    }
    return true;
  }

  private PartFile writeList() throws IOException {
    PartFile list = create(folder, LIST_NAME);
    StringBuilder text = new StringBuilder(LIST_HEADING).append(identity(list.path()));
    for (Move move : moves) {
      line(text, MOVE, move.part.path().getFileName(), move.target.getFileName());
    }
    for (Path file : obsolete) {
      line(text, DELETE, file.getFileName());
    }
    list.channel().write(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
    list.channel().force(true);
    move(list.path(), listPath(list));
    sync(folder);
    return list;
  }

  private static void line(StringBuilder text, String verb, Path... names) {
    text.append('\n').append(verb);
    for (Path name : names) {
      text.append(' ').append(URLEncoder.encode(name.toString(), StandardCharsets.UTF_8));
    }
  }

  private static Path listPath(PartFile list) {
    String name = list.path().getFileName().toString();
    return list.path()
        .resolveSibling(name.substring(0, name.length() - PartFile.SUFFIX.length()) + LIST_SUFFIX);
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
  public static void finishInterrupted(Path folder) {
    Path list = null;
    try (DirectoryStream<Path> found =
        Files.newDirectoryStream(folder, "." + LIST_NAME + ".lora-*" + LIST_SUFFIX)) {
      for (Path file : found) {
        list = file;
        if (PartFile.isName(file.getFileName().toString())) {
          PartFile.ifAbandoned(file, () -> finish(file));
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      if (list != null) {
        IOException cause =
            e instanceof IOException io ? io : ((DirectoryIteratorException) e).getCause();
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
    if (lines.isEmpty() || !lines.get(0).equals(LIST_HEADING + identity(list))) {
      return;
    }
    for (String line : lines.subList(1, lines.size())) {
      String[] words = line.split(" ");
      if (words[0].equals(MOVE)) {
        Path part = named(list, words[1]);
        if (PartFile.isName(part.getFileName().toString()) && Files.exists(part)) {
          move(part, named(list, words[2]));
        }
      }
    }
    sync(list.toAbsolutePath().getParent());
    for (String line : lines.subList(1, lines.size())) {
      String[] words = line.split(" ");
      if (words[0].equals(DELETE)) {
        delete(named(list, words[1]));
      }
    }
    delete(list);
  }

  private static Path named(Path list, String word) throws IOException {
    try {
      Path name = Path.of(URLDecoder.decode(word, StandardCharsets.UTF_8));
      return list.resolveSibling(name.getFileName());
    } catch (InvalidPathException e) {
      throw new IOException("a name in " + list.getFileName() + " is none here", e);
    }
  }

  /** The file that a link names, at the end of a chain of links; the file itself if it is none. */
  private static Path behindLinks(Path file) throws IOException {
    Path path = file.toAbsolutePath();
    for (int links = 0; Files.isSymbolicLink(path); links++) {
      if (links == 40) {
        throw new IOException("its links go round in a circle");
      }
      path = path.resolveSibling(Files.readSymbolicLink(path)).normalize();
    }
    return path;
  }

  /** Rights, owner and group of a file; null where there is none, or no such thing. */
  private static PosixFileAttributes attributes(Path file) throws IOException {
    PosixFileAttributeView view =
        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    return view == null || !Files.exists(file) ? null : view.readAttributes();
  }

  /** Nobody may read, even for a moment, what replaces a file that they may not read. */
  private static FileAttribute<?>[] rights(PosixFileAttributes old) {
    return old == null
        ? new FileAttribute<?>[0]
        : new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(old.permissions())};
  }

  private static void keepRights(Path file, PosixFileAttributes old) throws IOException {
    PosixFileAttributeView view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    PosixFileAttributes own = view.readAttributes();
    try {
      if (!own.owner().equals(old.owner())) {
        view.setOwner(old.owner());
      }
      if (!own.group().equals(old.group())) {
        view.setGroup(old.group());
      }
    } catch (IOException e) {
      // Only root may give files away: the file is then its writer's.
    }
    view.setPermissions(old.permissions());
  }

  private static void move(Path from, Path to) throws IOException {
    FolderChanges.before("move " + from.getFileName() + " " + to.getFileName());
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static void delete(Path file) throws IOException {
    FolderChanges.before("delete " + file.getFileName());
    Files.deleteIfExists(file);
  }

  private static void deleteQuietly(Path file) {
    try {
      delete(file);
    } catch (IOException e) {
      // What is left is of no use, and does no harm.
    }
  }

  /** Forces renames and deletions to the disk, where the system can do that for a folder. */
  private static void sync(Path folder) {
    try {
      FolderChanges.before("sync " + folder.getFileName());
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      }
    } catch (IOException e) {
      // Windows opens no folders. The files themselves were forced.
    }
  }

  /** Also when the process ends while files are being written. */
  private synchronized void discard() {
    parts.forEach(PartFile::discard);
    parts.clear();
    moves.clear();
    obsolete.clear();
  }

  /** Takes away what was not put into its place. */
  @Override
  public void close() {
    discard();
    ProcessEnd.remove(cleanUp);
  }
}
