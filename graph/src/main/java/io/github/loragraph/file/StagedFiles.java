package io.github.loragraph.file;

import io.github.loragraph.error.LoraGraphException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
 * it names is written and the link stays. Who makes it closes it, committed or not.
 */
public final class StagedFiles implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private final Path folder;
  private final boolean replace;
  private final Set<PartFile> parts = new LinkedHashSet<>();
  private final List<Move> moves = new ArrayList<>();
  private final List<Path> obsolete = new ArrayList<>();

  /** Folders that were not there before, the outer ones first. */
  private final List<Path> made = new ArrayList<>();

  /** Further names of files that are elsewhere. */
  private final List<Path> links = new ArrayList<>();

  private final Runnable cleanUp = this::discard;

  /** A file that was written, and its place. */
  record Move(PartFile part, Path target, boolean isNew) {}

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
      makeFolder(this.folder);
      finishInterrupted(this.folder);
      PartFile.deleteAbandoned(this.folder);
    } catch (IOException e) {
      discard();
      throw cannotWrite(folder, e);
    }
    ProcessEnd.add(cleanUp);
  }

  private void makeFolder(Path missing) throws IOException {
    List<Path> absent = new ArrayList<>();
    for (@Nullable Path path = missing;
        path != null && Files.notExists(path, LinkOption.NOFOLLOW_LINKS);
        path = path.getParent()) {
      absent.add(0, path);
    }
    // One by one: what another process makes meanwhile is not taken away with ours.
    for (Path folder : absent) {
      try {
        Files.createDirectory(folder);
      } catch (FileAlreadyExistsException e) {
        continue;
      }
      synchronized (this) {
        made.add(folder);
      }
    }
    Files.createDirectories(missing);
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
    try {
      Uninterrupted.run(() -> written(file, body));
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  private Path written(Path file, AtomicFile.Body body) throws IOException {
    @Nullable PartFile part = null;
    try {
      Path target = behindLinks(file);
      Path place = AtomicFile.folderOf(target);
      makeFolder(place);
      PosixFileAttributes old = attributes(target);
      part = create(partFolder(place), target.getFileName().toString(), rights(old));
      // The stream is not closed: that would close the channel, which holds the lock.
      OutputStream out =
          new BufferedOutputStream(Channels.newOutputStream(part.channel()), BUFFER_BYTES);
      body.writeTo(out);
      out.flush();
      body.finish(part.channel());
      if (old != null) {
        keepRights(part.path(), old);
      }
      FolderChanges.before("force " + part.path().getFileName());
      part.channel().force(true);
      synchronized (this) {
        moves.add(new Move(part, target, !Files.exists(target)));
      }
      part = null;
      return target;
    } finally {
      if (part != null) {
        part.discard();
      }
    }
  }

  /**
   * Where a file is written before it is moved: what goes into a folder inside of this one is
   * written beside that folder, so that one list has it with all others.
   */
  private Path partFolder(Path place) throws IOException {
    Path inside = folder.toRealPath().resolve(String.valueOf(place.getFileName()));
    return place.toRealPath().equals(inside) ? folder : place;
  }

  private synchronized PartFile create(Path place, String name, FileAttribute<?>... rights)
      throws IOException {
    PartFile part = PartFile.create(place, name, rights);
    parts.add(part);
    return part;
  }

  /**
   * Gives a file that is elsewhere a further name in this folder (a hard link), which takes no
   * place on the disk. It is there at once, goes again with what is not committed, and stays where
   * the process is killed before.
   *
   * @param file a name that is free
   * @return whether the file system has it; else nothing was done
   */
  public synchronized boolean link(Path file, Path existing) {
    try {
      Files.createLink(file, existing);
      links.add(file);
      return true;
    } catch (IOException | UnsupportedOperationException | SecurityException e) {
      return false;
    }
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
        list = listed();
      }
      for (Move move : moves) {
        FolderChanges.move(move.part.path(), move.target);
        moved++;
      }
      moves.stream().map(move -> move.target.getParent()).distinct().forEach(FolderChanges::sync);
      made.clear();
      links.clear();
    } catch (IOException e) {
      List<Move> done = moves.subList(0, moved);
      if (done.stream().allMatch(Move::isNew)) {
        done.forEach(move -> FolderChanges.deleteQuietly(move.target));
      } else {
        // What has been replaced may have its weights there.
        links.clear();
      }
      if (list != null) {
        FolderChanges.deleteQuietly(CommitList.place(list));
      }
      Path failed = moves.get(Math.min(moved, moves.size() - 1)).target;
      discard();
      throw cannotWrite(failed, e);
    }
    obsolete.forEach(FolderChanges::deleteQuietly);
    if (list != null) {
      FolderChanges.deleteQuietly(CommitList.place(list));
    }
    discard();
  }

  private PartFile listed() throws IOException {
    return Uninterrupted.run(
        () -> {
          PartFile list = create(folder, CommitList.NAME);
          CommitList.write(list, moves, obsolete);
          return list;
        });
  }

  /** A list of what is to be done names files of this folder only. */
  private boolean areAllHere() throws IOException {
    Path real = folder.toRealPath();
    for (Move move : moves) {
      if (!AtomicFile.folderOf(move.part.path()).equals(real)) {
        return false;
      }
    }
    for (Path file : obsolete) {
      if (!AtomicFile.folderOf(file).toRealPath().equals(real)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Finishes what killed processes were doing in a folder: moves what they had written whole.
   *
   * @throws LoraGraphException if there is something to finish and that is not possible
   */
  public static void finishInterrupted(Path folder) {
    CommitList.finishAll(folder);
  }

  /**
   * Whether a file is what a killed process left of another one that it was writing; the next
   * writer in the folder takes it away.
   *
   * @param name of the file that it was to become
   */
  public static boolean isPartOf(Path file, String name) {
    return PartFile.isPartOf(file, name);
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
  private static @Nullable PosixFileAttributes attributes(Path file) throws IOException {
    PosixFileAttributeView view =
        Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    return view == null || !Files.exists(file) ? null : view.readAttributes();
  }

  /** Nobody may read, even for a moment, what replaces a file that they may not read. */
  private static FileAttribute<?>[] rights(@Nullable PosixFileAttributes old) {
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

  /** Also when the process ends while files are being written. */
  private synchronized void discard() {
    parts.forEach(PartFile::discard);
    parts.clear();
    moves.clear();
    obsolete.clear();
    links.forEach(FolderChanges::deleteQuietly);
    links.clear();
    for (int i = made.size() - 1; i >= 0; i--) {
      FolderChanges.deleteQuietly(made.get(i));
    }
    made.clear();
  }

  /** Takes away what was not put into its place. */
  @Override
  public void close() {
    discard();
    ProcessEnd.remove(cleanUp);
  }
}
